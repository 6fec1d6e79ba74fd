# gnuplot -e "directory='build/bench'" plot.gp: ratios.png, ratios.svg from chart.csv and
# products.png, products.svg from squares.csv, which report.awk writes.

set datafile separator ','
set tics nomirror out
set border 3 back linecolor rgb '#444444'
set grid xtics linecolor rgb '#dddddd' linetype 1

# The colours are Okabe and Ito's, which the colour-blind can tell apart, too.
reached = 0x009e73
short = 0xd55e00
colour(speed, required) = speed >= required ? reached : short

chart = directory.'/chart.csv'
products = directory.'/squares.csv'
lines(path) = int(system("wc -l <'".path."'"))

if (lines(chart) > 1) {
    stats chart using 2 every ::1 nooutput
    bars = STATS_records
    lowest = STATS_min < 0.25 ? STATS_min / 1.5 : 0.25
    height = 140 + 22 * bars

    do for [format in 'png svg'] {
        if (format eq 'png') {
            set terminal pngcairo size 1200,height noenhanced font 'sans,11'
        } else {
            set terminal svg size 1200,height noenhanced font 'sans-serif,13' background 'white'
        }

        set output directory.'/ratios.'.format
        set title 'Speed of libtinynn, the peer being 1; | is what is required'
        set logscale x 2
        set xrange [lowest:*]
        set yrange [bars:-1]
        set xlabel 'times as fast'
        set lmargin 66
        unset key
        set style fill solid 1.0 noborder
        set arrow 1 from first 1, graph 0 to first 1, graph 1 nohead linecolor rgb '#444444'
        plot chart every ::1 using 2:0:(lowest):2:($0 - 0.35):($0 + 0.35):(colour($2, $3)):ytic(1) \
                 with boxxyerror linecolor rgb variable, \
             chart every ::1 using 3:0 with points pointtype '|' linecolor rgb '#000000'
        unset arrow 1
        unset lmargin
        set yrange [*:*]
        set ytics autofreq
    }
}

if (lines(products) > 1) {
    do for [format in 'png svg'] {
        if (format eq 'png') {
            set terminal pngcairo size 960,540 noenhanced font 'sans,13'
        } else {
            set terminal svg size 960,540 noenhanced font 'sans-serif,16' background 'white'
        }

        set output directory.'/products.'.format
        set title 'Square products: speed of libtinynn, the fastest peer being 1'
        set logscale x 2
        set xrange [*:*]
        set yrange [0:*]
        set xlabel 'rows, inputs, units'
        set ylabel 'times as fast'
        set grid ytics linecolor rgb '#dddddd' linetype 1
        set key top right
        plot products every ::1 using 1:2 with linespoints linewidth 2.5 linecolor rgb '#0072b2' \
                 title 'x W', \
             products every ::1 using 1:3 with linespoints linewidth 2.5 linecolor rgb '#009e73' \
                 title 'delta W^T', \
             products every ::1 using 1:4 with linespoints linewidth 2.5 linecolor rgb '#d55e00' \
                 title 'x^T delta', \
             0.97 with lines dashtype 2 linecolor rgb '#444444' title 'required'
    }
}
