# mc_module(NAME <folder> [TARGET <suffix>] SOURCES … [SEES <layer targets>…] [LIBS <private third-party>…])
# makes mc_<TARGET or NAME>, alias mc::<…>, with the house warnings, and checks SEES against Layers.cmake.
# A folder may hold two targets (lm_files without torch, lm with it); both belong to the folder's layer.

add_library(mc_warnings INTERFACE)
target_compile_options(mc_warnings INTERFACE -Wall -Wextra -Wpedantic -Wconversion -Wshadow -Werror)
add_library(mc_sanitize INTERFACE)
if(MEGACONTEXT_SANITIZE)
    # Instrumented code makes g++ 12 see uninitialised reads in std::optional and Boost that are not there.
    target_compile_options(mc_sanitize INTERFACE -fsanitize=address,undefined -fno-sanitize-recover=all
                                                 -fno-omit-frame-pointer -Wno-uninitialized
                                                 -Wno-maybe-uninitialized)
    target_link_options(mc_sanitize INTERFACE -fsanitize=address,undefined)
endif()

function(mc_module)
    cmake_parse_arguments(M "" "NAME;TARGET" "SOURCES;SEES;LIBS" ${ARGN})
    if(NOT M_TARGET)
        set(M_TARGET ${M_NAME})
    endif()
    add_library(mc_${M_TARGET} STATIC ${M_SOURCES})
    add_library(mc::${M_TARGET} ALIAS mc_${M_TARGET})
    set_property(TARGET mc_${M_TARGET} PROPERTY MC_LAYER ${M_NAME})
    target_include_directories(mc_${M_TARGET} PUBLIC ${PROJECT_SOURCE_DIR})
    target_link_libraries(mc_${M_TARGET} PRIVATE mc_warnings PUBLIC mc_sanitize)
    foreach(seen IN LISTS M_SEES)
        get_target_property(seen_layer mc_${seen} MC_LAYER)
        if(NOT seen_layer STREQUAL M_NAME AND NOT seen_layer IN_LIST MEGACONTEXT_SEES_${M_NAME})
            message(FATAL_ERROR "layer rule: ${M_NAME} may not see ${seen_layer} (cmake/Layers.cmake)")
        endif()
        target_link_libraries(mc_${M_TARGET} PUBLIC mc_${seen})
    endforeach()
    target_link_libraries(mc_${M_TARGET} PRIVATE ${M_LIBS})
endfunction()
