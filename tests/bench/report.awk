# report.awk requirements.csv results.csv: each required figure beside the one that was measured.
#
# A requirement's variants and peers are patterns; of several peers the fastest counts. Its measure
# is time, library / peer, at most the limit, or speed, peer / library, at least the limit.
# -v factor=0.9 takes that share of each figure but those of requirement 9 (the AVX2 table alone).
# -v chart=FILE and -v products=FILE write what plot.gp draws, all of it as speeds.

BEGIN {
    FS = ","
    if (factor == "")
        factor = 1
    printf "%-2s %-9s %-40s %-18s %9s %9s  %s\n", \
        "#", "workload", "variant", "peer", "measured", "required", ""
    if (products != "")
        print "size,xW,dWt,xtd" > products
    if (chart != "")
        print "label,speed,required" > chart
}

FNR == 1 {
    file++
    next
}

file == 1 {
    count++
    number[count] = $1
    workload[count] = $2
    variant[count] = $3
    peers[count] = $4
    measure[count] = $5
    limit[count] = $6
    next
}

# The results of a variant are together; a line is one peer.
{
    key = $1 "," $2
    if (!(key in library)) {
        order[++keys] = key
        library[key] = $3
    }
    lines[key]++
    peer_name[key, lines[key]] = $4
    peer_ns[key, lines[key]] = $5
}

function matches(text, pattern) {
    return text ~ ("^(" pattern ")$")
}

function fastest(key, pattern,    i, best) {
    best = 0
    for (i = 1; i <= lines[key]; i++)
        if (matches(peer_name[key, i], pattern) && peer_name[key, i] != "none" &&
            (!best || peer_ns[key, i] + 0 < peer_ns[key, best] + 0))
            best = i
    return best
}

function required(r) {
    if (number[r] == 9)
        return limit[r]
    return measure[r] == "time" ? limit[r] / factor : limit[r] * factor
}

function judge(r, key, part, peer,    time, value, needed, short) {
    time = library[key] / peer_ns[key, peer]
    value = measure[r] == "time" ? time : 1 / time
    needed = required(r)
    short = measure[r] == "time" ? value - needed : needed - value
    printf "%-2s %-9s %-40s %-18s %9.3f %s %7.3f  %s\n", number[r], part[1], part[2], \
        peer_name[key, peer], value, measure[r] == "time" ? "<=" : ">=", needed, \
        short <= 0 ? "reached" : sprintf("short by %.3f", short)
    tally[short <= 0]++
    if (chart != "" && part[1] != "products")
        printf "%s %s / %s,%.4f,%.4f\n", part[1], part[2], peer_name[key, peer], 1 / time, \
            measure[r] == "time" ? 1 / needed : needed > chart
}

# Squares, as lines of a size and a speed for each form.
function chart_product(part, speed,    words, sizes) {
    split(part[2], words, " ")
    split(words[2], sizes, "x")
    if (sizes[1] != sizes[2] || sizes[2] != sizes[3])
        return
    square[sizes[1]] = 1
    product[sizes[1], words[1]] = speed
}

END {
    for (r = 1; r <= count; r++) {
        found = 0
        for (k = 1; k <= keys; k++) {
            split(order[k], part, ",")
            if (part[1] != workload[r] || !matches(part[2], variant[r]))
                continue
            peer = fastest(order[k], peers[r])
            if (!peer)
                continue
            found = 1
            judge(r, order[k], part, peer)
            if (part[1] == "products")
                chart_product(part, peer_ns[order[k], peer] / library[order[k]])
        }
        if (!found) {
            printf "%-2s %-9s %-40s %-18s %9s %s %7.3f  not measured\n", number[r], \
                workload[r], variant[r], peers[r], "", measure[r] == "time" ? "<=" : ">=", \
                required(r)
            missing++
        }
    }
    printf "\n%d reached, %d short, %d not measured\n", tally[1], tally[0], missing
    if (products == "")
        exit
    for (size = 1; size <= 65536; size++)
        if (size in square)
            printf "%d,%s,%s,%s\n", size, product[size, "xW"], product[size, "dWt"], \
                product[size, "xtd"] > products
}
