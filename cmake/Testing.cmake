# mc_test(NAME <name> SOURCES … LIBS <mc targets and third-party>… [LABELS unit|property|golden|threads|…] [TIMEOUT s])
# is the one way to add a GoogleTest executable. tools/check_tests_registered.py fails on a *_test.cpp that no
# CMakeLists.txt names. A program in which a test was skipped is reported as skipped (tests/support/test_main.cpp).
find_package(GTest REQUIRED)

# Under ctest, property tests use one seed, so that a run can be repeated; run by hand, a test program
# draws a fresh one and prints it.
set(MEGACONTEXT_PROPERTY_SEED 20260401)

# How a test's own source is compiled: quickly. Under the sanitizers what it tests is watched whole, the test itself
# for addresses or threads alone, because UndefinedBehaviorSanitizer doubles what GoogleTest's macros cost.
add_library(mc_test_options INTERFACE)
target_compile_options(mc_test_options INTERFACE -O1)
if(MEGACONTEXT_SANITIZE)
    string(REPLACE ",undefined" "" test_sanitizer "${MEGACONTEXT_SANITIZE}")
    target_compile_options(mc_test_options INTERFACE -fsanitize=${test_sanitizer} -fno-omit-frame-pointer
                                                     -Wno-uninitialized -Wno-maybe-uninitialized)
endif()

add_library(mc_test_main STATIC ${PROJECT_SOURCE_DIR}/tests/support/test_main.cpp)
target_link_libraries(mc_test_main PRIVATE mc_warnings mc_test_options PUBLIC GTest::gtest)
set_target_properties(mc_test_main PROPERTIES POSITION_INDEPENDENT_CODE OFF)
target_compile_options(mc_test_main PRIVATE -fPIE)
mc_precompile(mc_test_main mc_test_main <gtest/gtest.h>)

# What the tsan preset builds.
add_custom_target(mc_tests_with_threads)

function(mc_test)
    cmake_parse_arguments(T "" "NAME;TIMEOUT" "SOURCES;LIBS;LABELS" ${ARGN})
    add_executable(${T_NAME} ${T_SOURCES})
    target_link_libraries(${T_NAME} PRIVATE mc_warnings mc_test_options ${T_LIBS} mc_test_main)
    if(NOT "mc::torch" IN_LIST T_LIBS)  # whose -fopenmp the precompiled header was made without
        mc_precompile(${T_NAME} mc_test_main)
    endif()
    if(NOT T_LABELS)
        set(T_LABELS unit)
    endif()
    if(NOT T_TIMEOUT)
        set(T_TIMEOUT 600)
    endif()
    if("threads" IN_LIST T_LABELS)
        add_dependencies(mc_tests_with_threads ${T_NAME})
    endif()
    add_test(NAME ${T_NAME} COMMAND ${T_NAME})
    set_tests_properties(${T_NAME} PROPERTIES LABELS "${T_LABELS}" TIMEOUT ${T_TIMEOUT} SKIP_RETURN_CODE 77
                         ENVIRONMENT RC_PARAMS=seed=${MEGACONTEXT_PROPERTY_SEED})
endfunction()
