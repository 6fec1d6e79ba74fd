#!/usr/bin/env bash
# convert.sh PROGRAM GOLDEN DIRECTORY CC: the net of a checkpoint goes from file to file and comes
# back the same; what is wrong is said.
. "$(dirname "$0")/common.sh"
program=$1 golden=$2 cc=$4
enter "$3"
net=$golden/checkpoint-1.gguf

# fails STATUS REGEX ARGUMENT...: with one line, that is REGEX, and nothing written.
fails() {
    run "$1" "$program" "${@:3}"
    matches err "convert: $2"
    [ ! -s out ] || fail "something on stdout"
}

run 0 "$program" --help
silent
matches out 'usage: convert .*'
grep -q 'neither seed nor dropout' out || fail "what ONNX does not keep is not told"
full() { # ARGUMENT...: a device without space gets the output
    run 1 bash -c '"$@" >/dev/full' full "$program" "$@"
    matches err 'convert: cannot write to the standard output'
}
if [ -c /dev/full ]; then
    full --help
    full "$net" full.gguf
fi
fails 2 'expected two files.*' one.gguf
fails 2 'net.txt: expected a name that ends in .*' net.txt net.gguf
fails 2 'net.c: C can be written, but not read' net.c net.gguf
fails 2 'net.gguf: --name is of C, .*' --name xor_net "$net" net.gguf
fails 2 'net.onnx: --own-math is of C, .*' --own-math "$net" net.onnx
[ ! -e net.gguf ] || fail "net.gguf is there"
fails 1 'tnn_net_load: cannot open missing\.gguf: .*' missing.gguf net.c
fails 1 'tnn_net_export_c: .*name.*' --name 1st "$net" net.c
[ ! -e net.c ] || fail "net.c is there"
fails 1 'tnn_net_load: .*: layer 1 has the activation "bend", .*' "$golden/model-1.gguf" net.onnx
head -c 200 "$net" >cut.gguf
fails 1 'tnn_net_load: cut.gguf: .*' cut.gguf copy.gguf
[ ! -e copy.gguf ] || fail "copy.gguf is there"

run 0 "$program" "$net" net.gguf
silent
matches out 'net\.gguf: [0-9]+( > [0-9]+ [a-z_]+)+, [0-9]+ parameters'
net=net.gguf
run 0 "$program" "$net" copy.gguf
cmp "$net" copy.gguf

run 0 "$program" --own-math --name xor_net "$net" net.c
silent
[ -s net.c ] && [ -s net.h ] || fail "no C"
"$cc" -std=c99 -DXOR_NET_MAIN net.c -o net -lm
run 0 ./net

if ! "$program" "$net" net.onnx >out 2>err; then
    matches err 'convert: net\.onnx: this program was built without ONNX, .*'
    fails 1 'net\.onnx: this program was built without ONNX, .*' net.onnx back.gguf
    exit
fi
run 0 "$program" net.onnx back.gguf
silent
run 0 "$program" back.gguf back.onnx
cmp net.onnx back.onnx
run 0 "$program" --own-math --name xor_net net.onnx back.c
sed 's/back\.h/net.h/' back.c | cmp - net.c || fail "C by way of ONNX is another"
