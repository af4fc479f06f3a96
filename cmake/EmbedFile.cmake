# meesh_embed(target file namespace symbol): compiles a file's bytes into a target as
#   extern const unsigned char <namespace>::<symbol>[];  extern const unsigned long <symbol>Size;
# Run as a script (-P) it writes that source.
if(CMAKE_SCRIPT_MODE_FILE)
  file(READ ${INPUT} hex HEX)
  string(LENGTH "${hex}" digits)
  math(EXPR size "${digits} / 2")
  # Thirty-two bytes a line: compilers dislike one line of a megabyte.
  string(REGEX REPLACE "(................................................................)" "\\1\n" hex "${hex}")
  string(REGEX REPLACE "([0-9a-f][0-9a-f])" "0x\\1," bytes "${hex}")
  file(WRITE ${OUTPUT}
    "namespace ${NAMESPACE} {\n"
    "extern const unsigned char ${SYMBOL}[];\nextern const unsigned long ${SYMBOL}Size;\n"
    "const unsigned char ${SYMBOL}[] = {\n${bytes}\n};\n"
    "const unsigned long ${SYMBOL}Size = ${size};\n"
    "}  // namespace ${NAMESPACE}\n")
  return()
endif()

set(MEESH_EMBED_SCRIPT ${CMAKE_CURRENT_LIST_FILE})
function(meesh_embed target file namespace symbol)
  set(source ${PROJECT_BINARY_DIR}/embedded/${symbol}.cc)
  add_custom_command(
    OUTPUT ${source}
    COMMAND ${CMAKE_COMMAND} -DINPUT=${PROJECT_SOURCE_DIR}/${file} -DOUTPUT=${source}
            -DNAMESPACE=${namespace} -DSYMBOL=${symbol} -P ${MEESH_EMBED_SCRIPT}
    DEPENDS ${PROJECT_SOURCE_DIR}/${file} ${MEESH_EMBED_SCRIPT}
    COMMENT "Embedding ${file}" VERBATIM)
  target_sources(${target} PRIVATE ${source})
endfunction()
