# libmegacontext.so for other CMake projects: `cmake --install BUILD --prefix PREFIX` puts it there with
# runtime/memory.h, every header that that includes, and a package file for find_package(MegaContext) (docs/cpp.md).
#
# Whole are the rooms whose functions the face hands out; of the others the library has what those need. The converter
# program is looked for beside the library (documents/conversion.h).
include(CMakePackageConfigHelpers)
include(GNUInstallDirs)

add_library(megacontext_library SHARED $<TARGET_OBJECTS:mc_core> $<TARGET_OBJECTS:mc_telemetry>
                                       $<TARGET_OBJECTS:mc_runtime_search> $<TARGET_OBJECTS:mc_runtime>)
target_link_libraries(megacontext_library PRIVATE mc::runtime)
target_include_directories(megacontext_library INTERFACE $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}/megacontext>)
target_compile_features(megacontext_library INTERFACE cxx_std_20)
# What libtorch needs of CUDA it finds itself; the linker does not (Torch.cmake).
target_link_options(megacontext_library INTERFACE LINKER:--allow-shlib-undefined)
set_target_properties(megacontext_library PROPERTIES
    OUTPUT_NAME megacontext EXPORT_NAME megacontext LINKER_LANGUAGE CXX
    VERSION ${PROJECT_VERSION} SOVERSION ${PROJECT_VERSION_MAJOR}.${PROJECT_VERSION_MINOR}
    INSTALL_RPATH ${MEGACONTEXT_SITE}/torch/lib)

set(package_folder ${CMAKE_INSTALL_LIBDIR}/cmake/MegaContext)
install(TARGETS megacontext_library EXPORT MegaContextTargets COMPONENT library)
install(TARGETS megacontext-convert RUNTIME DESTINATION ${CMAKE_INSTALL_LIBDIR} COMPONENT library)
install(EXPORT MegaContextTargets NAMESPACE MegaContext:: FILE MegaContextConfig.cmake DESTINATION ${package_folder}
        COMPONENT library)
write_basic_package_version_file(${CMAKE_BINARY_DIR}/MegaContextConfigVersion.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${CMAKE_BINARY_DIR}/MegaContextConfigVersion.cmake DESTINATION ${package_folder} COMPONENT library)
install(CODE "set(source \"${PROJECT_SOURCE_DIR}\")
set(face runtime/memory.h)
set(folder \"\${CMAKE_INSTALL_PREFIX}/${CMAKE_INSTALL_INCLUDEDIR}/megacontext\")" COMPONENT library)
install(SCRIPT ${CMAKE_CURRENT_LIST_DIR}/InstallHeaders.cmake COMPONENT library)
