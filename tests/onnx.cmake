# Tests of the component onnx; included by CMakeLists.txt where it is built.

add_library(test_onnx_support STATIC support/onnx_models.c)
tinynn_compile_options(test_onnx_support)
target_include_directories(test_onnx_support PUBLIC ${onnx_generated})
target_include_directories(test_onnx_support SYSTEM PUBLIC ${PROTOBUF_C_INCLUDE_DIR})
target_link_libraries(test_onnx_support PUBLIC
    test_support tinynn_onnx_static ${PROTOBUF_C_LIBRARY})
add_dependencies(test_onnx_support tinynn_onnx_messages)

foreach(name test_onnx test_onnx_damage test_onnx_testdata)
    add_executable(${name} ${name}.c)
    tinynn_compile_options(${name})
    target_link_libraries(${name} PRIVATE test_onnx_support)
    target_compile_definitions(${name} PRIVATE
        TINYNN_ONNX_MODELS="${CMAKE_CURRENT_SOURCE_DIR}/reference/onnx")
endforeach()
foreach(name test_onnx test_onnx_damage)
    add_test(NAME ${name} COMMAND ${name})
    set_tests_properties(${name} PROPERTIES TIMEOUT 600)
endforeach()

# ONNX's own test data, 1,072 models; skipped where the package is not installed.
add_test(NAME test_onnx_testdata COMMAND test_onnx_testdata
    /usr/share/libonnx-testdata/data ${CMAKE_CURRENT_SOURCE_DIR}/reference/onnx_testdata.txt)
set_tests_properties(test_onnx_testdata PROPERTIES SKIP_RETURN_CODE 77 TIMEOUT 600)

fuzz_target(onnx tinynn_onnx_static)

if(UNIX AND NOT APPLE)
    add_test(NAME packaging_onnx_symbols
        COMMAND ${BASH} ${CMAKE_CURRENT_SOURCE_DIR}/structure/symbols.sh ${CMAKE_NM}
            $<TARGET_FILE:tinynn_onnx_static> $<TARGET_FILE:tinynn_onnx_shared>)
    set_tests_properties(packaging_onnx_symbols PROPERTIES LABELS packaging)
endif()

# What the library writes, in ONNX's checker and in onnxruntime.
add_executable(foreign_onnx foreign/onnx.c)
tinynn_compile_options(foreign_onnx)
target_link_libraries(foreign_onnx PRIVATE tinynn_onnx_static)
add_test(NAME foreign_onnx
    COMMAND ${BASH} ${CMAKE_CURRENT_SOURCE_DIR}/foreign/onnx.sh ${PROJECT_SOURCE_DIR}
        $<TARGET_FILE:foreign_onnx> ${CMAKE_CURRENT_BINARY_DIR}/foreign-onnx)
set_tests_properties(foreign_onnx PROPERTIES LABELS packaging SKIP_RETURN_CODE 77 TIMEOUT 600)

# What the documents tell users of PyTorch and scikit-learn to do.
add_executable(onnx_predict foreign/onnx_predict.c)
tinynn_compile_options(onnx_predict)
target_link_libraries(onnx_predict PRIVATE tinynn_onnx_static)
add_test(NAME foreign_onnx_recipes
    COMMAND ${BASH} ${CMAKE_CURRENT_SOURCE_DIR}/foreign/onnx_recipes.sh ${PROJECT_SOURCE_DIR}
        $<TARGET_FILE:onnx_predict> ${CMAKE_CURRENT_BINARY_DIR}/foreign-onnx-recipes)
set_tests_properties(foreign_onnx_recipes PROPERTIES
    LABELS packaging SKIP_RETURN_CODE 77 TIMEOUT 600)
