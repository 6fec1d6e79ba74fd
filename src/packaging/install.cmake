# cmake --install: header, both libraries, CMake package and pkg-config file. Components: runtime
# (the shared library), development (what is needed to build against it), onnx (all of tinynn_onnx).

include(GNUInstallDirs)
include(CMakePackageConfigHelpers)

install(TARGETS tinynn_static tinynn_shared
    EXPORT tinynn
    RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR} COMPONENT runtime
    LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR} COMPONENT runtime NAMELINK_COMPONENT development
    ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR} COMPONENT development
    INCLUDES DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})

install(FILES include/tinynn/tinynn.h
    DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/tinynn COMPONENT development)

foreach(component runtime development)
    install(FILES LICENSE DESTINATION ${CMAKE_INSTALL_DOCDIR} COMPONENT ${component})
endforeach()

# ---- find_package(tinynn) -----------------------------------------------------------------------

set(package_dir ${CMAKE_INSTALL_LIBDIR}/cmake/tinynn)
write_basic_package_version_file(tinynn-config-version.cmake COMPATIBILITY SameMinorVersion)
install(FILES src/packaging/tinynn-config.cmake
    ${PROJECT_BINARY_DIR}/tinynn-config-version.cmake
    DESTINATION ${package_dir} COMPONENT development)
install(EXPORT tinynn FILE tinynn-targets.cmake NAMESPACE tinynn::
    DESTINATION ${package_dir} COMPONENT development)

# ---- pkg-config tinynn --------------------------------------------------------------------------

# Paths are relative to the file itself, so that the prefix can be moved, unless the person who
# configured gave absolute ones.
if(IS_ABSOLUTE "${CMAKE_INSTALL_LIBDIR}")
    set(pc_prefix ${CMAKE_INSTALL_PREFIX})
    set(pc_libdir ${CMAKE_INSTALL_LIBDIR})
else()
    file(RELATIVE_PATH up /prefix/${CMAKE_INSTALL_LIBDIR}/pkgconfig /prefix)
    string(REGEX REPLACE "/$" "" up "${up}")
    set(pc_prefix \${pcfiledir}/${up})
    set(pc_libdir \${prefix}/${CMAKE_INSTALL_LIBDIR})
endif()
if(IS_ABSOLUTE "${CMAKE_INSTALL_INCLUDEDIR}")
    set(pc_includedir ${CMAKE_INSTALL_INCLUDEDIR})
else()
    set(pc_includedir \${prefix}/${CMAKE_INSTALL_INCLUDEDIR})
endif()
set(pc_libs_private)
foreach(library IN LISTS openmp_libraries)
    if(NOT IS_ABSOLUTE ${library})
        string(PREPEND library -l)
    endif()
    string(APPEND pc_libs_private "${library} ")
endforeach()
if(NOT WIN32)
    string(APPEND pc_libs_private -lm)
endif()

configure_file(src/packaging/tinynn.pc.in tinynn.pc @ONLY)
install(FILES ${PROJECT_BINARY_DIR}/tinynn.pc
    DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig COMPONENT development)

# ---- The component onnx: COMPONENTS onnx, pkg-config tinynn-onnx --------------------------------

if(TINYNN_ONNX)
    install(TARGETS tinynn_onnx_static tinynn_onnx_shared
        EXPORT tinynn-onnx
        RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR} COMPONENT onnx
        LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR} COMPONENT onnx
        ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR} COMPONENT onnx
        INCLUDES DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})
    install(FILES include/tinynn/onnx.h
        DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/tinynn COMPONENT onnx)
    install(EXPORT tinynn-onnx FILE tinynn-onnx-targets.cmake NAMESPACE tinynn::
        DESTINATION ${package_dir} COMPONENT onnx)
    configure_file(src/packaging/tinynn-onnx.pc.in tinynn-onnx.pc @ONLY)
    install(FILES ${PROJECT_BINARY_DIR}/tinynn-onnx.pc
        DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig COMPONENT onnx)
endif()
