# The component onnx, tinynn_onnx: on where protobuf-c is found, its library and its compiler.

find_path(PROTOBUF_C_INCLUDE_DIR protobuf-c/protobuf-c.h)
find_library(PROTOBUF_C_LIBRARY protobuf-c)
find_program(PROTOC_C protoc-c)
mark_as_advanced(PROTOBUF_C_INCLUDE_DIR PROTOBUF_C_LIBRARY PROTOC_C)
if(PROTOBUF_C_INCLUDE_DIR AND PROTOBUF_C_LIBRARY AND PROTOC_C)
    set(protobuf_c_found ON)
else()
    set(protobuf_c_found OFF)
endif()

option(TINYNN_ONNX "Build the component onnx (needs protobuf-c)" ${protobuf_c_found})
if(NOT TINYNN_ONNX)
    return()
endif()
if(NOT protobuf_c_found)
    message(FATAL_ERROR "The component onnx needs protobuf-c (Debian and Ubuntu: "
        "libprotobuf-c-dev, protobuf-c-compiler); -DTINYNN_ONNX=OFF does without it.")
endif()

# Messages, from their description.
set(onnx_generated ${PROJECT_BINARY_DIR}/generated)
file(MAKE_DIRECTORY ${onnx_generated})
add_custom_command(
    OUTPUT ${onnx_generated}/onnx.pb-c.c ${onnx_generated}/onnx.pb-c.h
    COMMAND ${PROTOC_C} --proto_path=${PROJECT_SOURCE_DIR}/src/onnx --c_out=${onnx_generated}
        ${PROJECT_SOURCE_DIR}/src/onnx/onnx.proto
    DEPENDS ${PROJECT_SOURCE_DIR}/src/onnx/onnx.proto
    VERBATIM)
add_library(tinynn_onnx_messages OBJECT ${onnx_generated}/onnx.pb-c.c)
set_target_properties(tinynn_onnx_messages PROPERTIES
    C_STANDARD 11
    C_VISIBILITY_PRESET hidden
    POSITION_INDEPENDENT_CODE ON)
target_include_directories(tinynn_onnx_messages PRIVATE ${onnx_generated})
target_include_directories(tinynn_onnx_messages SYSTEM PRIVATE ${PROTOBUF_C_INCLUDE_DIR})

set(onnx_sources
    $<TARGET_OBJECTS:tinynn_onnx_messages>
    src/onnx/activations.c
    src/onnx/arithmetic.c
    src/onnx/chain.c
    src/onnx/graph.c
    src/onnx/load.c
    src/onnx/memory.c
    src/onnx/node.c
    src/onnx/operators.c
    src/onnx/save.c
    src/onnx/shapes.c
    src/onnx/tensor.c)

# What knows nothing of nets is in the static core for everyone to use. The shared one keeps it to
# itself; there the component has its own.
set(onnx_support
    src/support/array.c
    src/support/clock.c
    src/support/file.c
    src/support/memory.c
    src/support/random.c
    src/support/source.c)

add_library(tinynn_onnx_static STATIC ${onnx_sources})
target_link_libraries(tinynn_onnx_static PUBLIC tinynn_static)

add_library(tinynn_onnx_shared SHARED ${onnx_sources} ${onnx_support})
target_compile_definitions(tinynn_onnx_shared PRIVATE TNN_BUILDING_ONNX)
target_link_libraries(tinynn_onnx_shared PUBLIC tinynn_shared)

foreach(kind static shared)
    set(target tinynn_onnx_${kind})
    add_library(tinynn::onnx_${kind} ALIAS ${target})
    tinynn_compile_options(${target})
    add_dependencies(${target} tinynn_onnx_messages)
    target_include_directories(${target} PRIVATE src ${onnx_generated})
    target_include_directories(${target} SYSTEM PRIVATE ${PROTOBUF_C_INCLUDE_DIR})
    set_target_properties(${target} PROPERTIES
        OUTPUT_NAME tinynn_onnx
        EXPORT_NAME onnx_${kind}
        C_EXTENSIONS OFF
        C_VISIBILITY_PRESET hidden
        POSITION_INDEPENDENT_CODE ON)
    # By path here, by name for those who find it in their own directories.
    target_link_libraries(${target} PRIVATE
        $<BUILD_INTERFACE:${PROTOBUF_C_LIBRARY}> $<INSTALL_INTERFACE:protobuf-c>)
    if(NOT WIN32)
        target_link_libraries(${target} PRIVATE m)
    endif()
    if(NOT top_level AND NOT TINYNN_INSTALL)
        set_target_properties(${target} PROPERTIES EXCLUDE_FROM_ALL ON)
    endif()
endforeach()
if(NOT top_level AND NOT TINYNN_INSTALL)
    set_target_properties(tinynn_onnx_messages PROPERTIES EXCLUDE_FROM_ALL ON)
endif()

if(MSVC)
    set_target_properties(tinynn_onnx_static PROPERTIES OUTPUT_NAME tinynn_onnx_static)
endif()
set_target_properties(tinynn_onnx_shared PROPERTIES
    VERSION ${PROJECT_VERSION}
    SOVERSION ${PROJECT_VERSION_MAJOR}.${PROJECT_VERSION_MINOR})
if(UNIX AND NOT APPLE)
    target_link_options(tinynn_onnx_shared PRIVATE LINKER:--version-script=${map})
    set_target_properties(tinynn_onnx_shared PROPERTIES LINK_DEPENDS ${map})
endif()

if(BUILD_SHARED_LIBS)
    add_library(tinynn::onnx ALIAS tinynn_onnx_shared)
else()
    add_library(tinynn::onnx ALIAS tinynn_onnx_static)
endif()
