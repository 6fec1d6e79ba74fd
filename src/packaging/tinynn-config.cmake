# find_package(tinynn) defines tinynn::static, tinynn::shared and tinynn::tinynn, which is the one
# that BUILD_SHARED_LIBS asks for. COMPONENTS onnx adds tinynn::onnx_static, tinynn::onnx_shared and
# tinynn::onnx, if the component was installed.

include(${CMAKE_CURRENT_LIST_DIR}/tinynn-targets.cmake)

# tinynn_choose(NAME STATIC SHARED): a target NAME that stands for one of the two.
function(tinynn_choose name static shared)
    if(TARGET ${name})
        return()
    endif()
    add_library(${name} INTERFACE IMPORTED)
    if(BUILD_SHARED_LIBS)
        set_target_properties(${name} PROPERTIES INTERFACE_LINK_LIBRARIES ${shared})
    else()
        set_target_properties(${name} PROPERTIES INTERFACE_LINK_LIBRARIES ${static})
    endif()
endfunction()

tinynn_choose(tinynn::tinynn tinynn::static tinynn::shared)

foreach(component IN LISTS tinynn_FIND_COMPONENTS)
    set(tinynn_${component}_FOUND FALSE)
    if(component STREQUAL onnx AND EXISTS ${CMAKE_CURRENT_LIST_DIR}/tinynn-onnx-targets.cmake)
        include(${CMAKE_CURRENT_LIST_DIR}/tinynn-onnx-targets.cmake)
        tinynn_choose(tinynn::onnx tinynn::onnx_static tinynn::onnx_shared)
        set(tinynn_onnx_FOUND TRUE)
    endif()
    if(tinynn_FIND_REQUIRED_${component} AND NOT tinynn_${component}_FOUND)
        set(tinynn_FOUND FALSE)
        set(tinynn_NOT_FOUND_MESSAGE "the component ${component} of tinynn is not installed")
    endif()
endforeach()
