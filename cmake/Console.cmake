# meesh_console(target): builds the web app of console/ and links it into a target as
#   extern "C" const unsigned char meesh_console_pack[], meesh_console_pack_end[];
set(MEESH_CONSOLE_PACK "" CACHE FILEPATH "A console that is built already; empty: build it")

function(meesh_console target)
  set(pack ${MEESH_CONSOLE_PACK})
  if(NOT pack)
    set(folder ${PROJECT_SOURCE_DIR}/console)
    set(pack ${folder}/dist/console.pack)
    file(GLOB_RECURSE sources CONFIGURE_DEPENDS ${folder}/src/* ${folder}/public/* ${folder}/openapi/*.yaml)
    add_custom_command(
      OUTPUT ${pack}
      COMMAND ${PROJECT_SOURCE_DIR}/setup/console.sh
      DEPENDS ${sources} ${folder}/index.html ${folder}/vite.config.ts ${folder}/embed.mjs
              ${folder}/openapi/merge.mjs ${folder}/package-lock.json ${PROJECT_SOURCE_DIR}/setup/console.sh
      COMMENT "Building the console" VERBATIM)
  endif()
  set(source ${PROJECT_BINARY_DIR}/embedded/console_pack.cc)
  file(CONFIGURE OUTPUT ${source} @ONLY CONTENT [[
__asm__(".section .rodata\n.global meesh_console_pack\n.global meesh_console_pack_end\n"
        "meesh_console_pack:\n.incbin \"@pack@\"\nmeesh_console_pack_end:\n.byte 0\n.previous\n");
]])
  set_source_files_properties(${source} PROPERTIES OBJECT_DEPENDS ${pack} SKIP_PRECOMPILE_HEADERS ON)
  target_sources(${target} PRIVATE ${source})
endfunction()
