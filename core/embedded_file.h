// SPDX-License-Identifier: Apache-2.0
// Files of the source tree that are part of the program: inside it they need no place on disk to be
// found at. mc_embed() in cmake/Module.cmake names them and rebuilds what holds them.
#pragma once

#include <cstddef>

// At global scope of one source file: NAME_begin and NAME_end are the bounds of the file's bytes in
// read-only memory. file: a string literal.
#define MC_EMBED(name, file)                   \
    asm(".section .rodata\n"                   \
        ".balign 16\n" #name                   \
        "_begin:\n"                            \
        ".incbin \"" file "\"\n" #name         \
        "_end:\n"                              \
        ".byte 0\n"                            \
        ".previous\n");                        \
    extern "C" const std::byte name##_begin[]; \
    extern "C" const std::byte name##_end[]
