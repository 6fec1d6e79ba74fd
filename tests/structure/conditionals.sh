#!/usr/bin/env bash
# conditionals.sh SRC: only support/ and kernels/ know instruction sets, compilers and systems.
set -euo pipefail
cd "$1"

names='__(AVX|SSE|FMA|ARM|ARM_NEON|x86_64|amd64|i386|aarch64|arm|riscv|powerpc)[A-Za-z0-9_]*'
names+='|__(GNUC|clang|INTEL_COMPILER|MINGW32|MINGW64|CYGWIN|ANDROID|FreeBSD)[A-Za-z0-9_]*'
names+='|__(linux|unix|APPLE)__|_MSC_VER|_M_X64|_M_IX86|_M_ARM64|_WIN32|_WIN64|_OPENMP|TINYNN_OPENMP'

if find . -name '*.[ch]' ! -path './support/*' ! -path './kernels/*' | sed 's|^\./||' | sort |
    xargs grep -nHEw "$names"; then
    echo "These belong in src/support or src/kernels."
    exit 1
fi
