# find_package(tinynn) defines tinynn::static, tinynn::shared and tinynn::tinynn, which is the one
# that BUILD_SHARED_LIBS asks for.

include(${CMAKE_CURRENT_LIST_DIR}/tinynn-targets.cmake)

if(NOT TARGET tinynn::tinynn)
    add_library(tinynn::tinynn INTERFACE IMPORTED)
    if(BUILD_SHARED_LIBS)
        set_target_properties(tinynn::tinynn PROPERTIES INTERFACE_LINK_LIBRARIES tinynn::shared)
    else()
        set_target_properties(tinynn::tinynn PROPERTIES INTERFACE_LINK_LIBRARIES tinynn::static)
    endif()
endif()
