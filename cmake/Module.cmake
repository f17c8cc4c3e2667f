# mc_room(), a row of Layers.cmake, mc_module(), the target of a room's folder, and mc_embed(), a file in it.

# mc_room(FOLDER [TORCH] [SEES <rooms>…]) notes a row and refuses one that looks up.
function(mc_room folder)
    cmake_parse_arguments(R "TORCH" "" "SEES" ${ARGN})
    get_property(rooms GLOBAL PROPERTY MC_ROOMS)
    foreach(seen IN LISTS R_SEES)
        if(NOT seen IN_LIST rooms)
            message(FATAL_ERROR "layer rule: ${folder} sees ${seen}, which is not above it (cmake/Layers.cmake)")
        endif()
        get_property(needs_torch GLOBAL PROPERTY MC_TORCH_${seen})
        if(needs_torch AND NOT R_TORCH)
            message(FATAL_ERROR "layer rule: ${folder} is without TORCH and sees ${seen} (cmake/Layers.cmake)")
        endif()
    endforeach()
    set_property(GLOBAL APPEND PROPERTY MC_ROOMS ${folder})
    set_property(GLOBAL PROPERTY MC_TORCH_${folder} ${R_TORCH})
    set_property(GLOBAL PROPERTY MC_SEES_${folder} ${R_SEES})
endfunction()

add_library(mc_warnings INTERFACE)
target_compile_options(mc_warnings INTERFACE -Wall -Wextra -Wpedantic -Wconversion -Wshadow -Werror)
add_library(mc_sanitize INTERFACE)
if(MEGACONTEXT_SANITIZE)
    # Instrumented code makes g++ 12 see uninitialised reads in std::optional and Boost that are not there.
    target_compile_options(mc_sanitize INTERFACE -fsanitize=${MEGACONTEXT_SANITIZE} -fno-sanitize-recover=all
                                                 -fno-omit-frame-pointer -Wno-uninitialized
                                                 -Wno-maybe-uninitialized)
    add_link_options(-fsanitize=${MEGACONTEXT_SANITIZE})
endif()

# What most sources include, parsed once a kind of target: half of a small source's compile time.
set(MC_PRECOMPILED <algorithm> <array> <cmath> <cstdint> <filesystem> <functional> <limits> <map> <memory> <optional>
                   <set> <span> <sstream> <string> <string_view> <tuple> <unordered_map> <utility> <variant> <vector>
                   <nlohmann/json.hpp> <tl/expected.hpp>)

# mc_precompile(TARGET OWNER [HEADERS…]) gives TARGET what OWNER precompiles; the owner itself makes it, of
# MC_PRECOMPILED and HEADERS. Both must be compiled alike (-fPIC for a library, -fPIE for a program). ccache
# needs -fpch-preprocess to see through it.
function(mc_precompile target owner)
    target_compile_options(${target} PRIVATE -fpch-preprocess)
    if(target STREQUAL owner)
        target_precompile_headers(${target} PRIVATE ${MC_PRECOMPILED} ${ARGN})
    else()
        target_precompile_headers(${target} REUSE_FROM ${owner})
    endif()
endfunction()

# mc_module([TENSORS] SOURCES … [LIBS <private third-party>…] [PRECOMPILE <headers>…]) makes the target of the room whose folder
# this is: lm/torch becomes mc_lm_torch, alias mc::lm_torch, with the house warnings, linked with what
# the room's row lists. TENSORS: its files include libtorch (mc_use_torch() in Torch.cmake).
# PRECOMPILE: what most of its sources include besides, worth a precompiled header of its own.
function(mc_module)
    cmake_parse_arguments(M "TENSORS" "" "SOURCES;LIBS;PRECOMPILE" ${ARGN})
    file(RELATIVE_PATH room ${PROJECT_SOURCE_DIR} ${CMAKE_CURRENT_SOURCE_DIR})
    string(REPLACE "/" "_" name ${room})
    add_library(mc_${name} STATIC ${M_SOURCES})
    add_library(mc::${name} ALIAS mc_${name})
    target_include_directories(mc_${name} PUBLIC ${PROJECT_SOURCE_DIR})
    target_link_libraries(mc_${name} PRIVATE mc_warnings mc_sanitize)
    get_property(seen_rooms GLOBAL PROPERTY MC_SEES_${room})
    foreach(seen IN LISTS seen_rooms)
        string(REPLACE "/" "_" seen ${seen})
        target_link_libraries(mc_${name} PUBLIC mc_${seen})
    endforeach()
    target_link_libraries(mc_${name} PRIVATE ${M_LIBS})
    if(M_TENSORS)
        mc_use_torch(mc_${name})
    elseif(M_PRECOMPILE)
        mc_precompile(mc_${name} mc_${name} ${M_PRECOMPILE})
    else()
        mc_precompile(mc_${name} mc_core)
    endif()
endfunction()

# mc_embed(SOURCE NAME FILE [NAME FILE…]) gives a source file's MC_EMBED() (core/embedded_file.h) the paths of files
# that become part of the program, as the macros NAME.
function(mc_embed source)
    set(pairs ${ARGN})
    while(pairs)
        list(POP_FRONT pairs name file)
        set_property(SOURCE ${source} APPEND PROPERTY COMPILE_DEFINITIONS "${name}=\"${file}\"")
        set_property(SOURCE ${source} APPEND PROPERTY OBJECT_DEPENDS ${file})
    endwhile()
endfunction()
