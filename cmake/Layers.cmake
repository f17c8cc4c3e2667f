# The rooms of the source tree (docs/architecture.md): mc_room(FOLDER [TORCH] [SEES <rooms>…]).
# One folder is one target and one row. A room sees itself and what its row lists, and its row may list
# rows above it alone. mc_module() links exactly these; tools/check_layers.py refuses any other
# #include, a folder without a row, and a permission that nobody uses.
# TORCH: needs libtorch, so it is not in the presets without it; no other room may see it.
mc_room(core)
mc_room(telemetry SEES core)
mc_room(formats SEES core)
mc_room(text SEES core)
mc_room(tree SEES core)
mc_room(working_context SEES core tree)

mc_room(documents SEES core tree)
mc_room(documents/converters SEES core documents)
mc_room(documents/program SEES core documents documents/converters)

mc_room(storage/codec SEES core formats tree)
mc_room(storage/seal SEES core)
mc_room(storage/index SEES core formats text tree storage/codec storage/seal)
mc_room(storage/lmdb SEES core formats tree storage/codec storage/seal)
mc_room(storage SEES core tree storage/index storage/lmdb storage/seal)
mc_room(storage/portable SEES core tree storage storage/codec storage/lmdb storage/seal)
mc_room(storage/salvage SEES core storage/lmdb storage/portable storage/seal)

mc_room(cuda SEES core formats)
mc_room(cuda/check SEES core cuda)

mc_room(lm/jinja SEES core)
mc_room(lm/kernels SEES core)
mc_room(lm/tokenizer SEES core formats)
mc_room(lm/generation SEES core lm/jinja lm/tokenizer)
mc_room(lm/model SEES core formats tree lm/tokenizer)
mc_room(lm/torch TORCH SEES core lm/kernels lm/model lm/tokenizer)
mc_room(lm/training TORCH SEES core lm/kernels lm/torch)
mc_room(lm TORCH SEES core formats lm/generation lm/model lm/tokenizer lm/torch)

mc_room(ranks SEES core)
mc_room(ranks/c10d TORCH SEES core ranks)

mc_room(embedder SEES core formats tree lm/kernels)

mc_room(gistnet/search SEES core)
mc_room(gistnet/pooling TORCH SEES core formats tree lm lm/torch)
mc_room(gistnet/index TORCH SEES core formats tree lm lm/torch gistnet/pooling)
mc_room(gistnet TORCH SEES core tree lm lm/torch gistnet/index gistnet/pooling)
mc_room(gistnet/training TORCH SEES core telemetry tree lm/torch lm/training ranks
                               gistnet/index gistnet/pooling gistnet/search)
mc_room(gistnet/macros TORCH SEES core tree lm lm/generation lm/torch lm/training gistnet/pooling gistnet/training)
mc_room(gistnet/probes TORCH SEES core tree lm lm/torch lm/training gistnet/pooling gistnet/training)

mc_room(reader SEES core)
mc_room(cluster SEES core)

mc_room(lensnet SEES core formats)
mc_room(lensnet/training SEES core formats lensnet ranks)

mc_room(runtime/search SEES core text tree working_context storage lm/tokenizer)
mc_room(runtime TORCH SEES core telemetry formats tree working_context documents storage storage/codec storage/portable storage/salvage storage/seal
                           lm lm/generation lm/tokenizer text embedder gistnet gistnet/macros gistnet/probes
                           lensnet reader runtime/search)

mc_room(runtime/stream TORCH SEES core tree lm)

mc_room(eval/measure SEES core tree storage/codec lm/model)
mc_room(eval/report SEES core eval/measure)
mc_room(eval/delta_nll SEES core tree eval/measure eval/report)
mc_room(eval/repetition SEES core eval/delta_nll eval/measure eval/report)
mc_room(eval/base_model TORCH SEES core lm gistnet gistnet/probes eval/measure)
mc_room(eval/gist_probes TORCH SEES core telemetry gistnet/probes
                                   eval/base_model eval/measure eval/repetition eval/report)
mc_room(eval/retrieval TORCH SEES core formats tree working_context storage lm lm/tokenizer
                                 gistnet/index gistnet/search eval/measure eval/report)
mc_room(eval/answers SEES core lm/generation lm/model lm/tokenizer eval/measure eval/report)
mc_room(eval/answers/program TORCH SEES core telemetry tree working_context lm
                                        lensnet runtime runtime/search eval/answers
                                        eval/base_model eval/measure eval/report)
mc_room(eval/macros TORCH SEES core telemetry lm/model gistnet/macros runtime eval/measure eval/report)
mc_room(eval/stream TORCH SEES core tree lm runtime/stream eval/measure eval/report)
mc_room(eval/chat TORCH SEES core telemetry runtime eval/answers eval/measure eval/report)

mc_room(serve/protocol SEES core)
mc_room(serve/mcp SEES core serve/protocol)
mc_room(serve/http SEES core storage/seal serve/mcp serve/protocol)
mc_room(serve TORCH SEES core tree cluster runtime serve/http serve/mcp serve/protocol)

mc_room(apps/terminal SEES core working_context)
mc_room(apps/views TORCH SEES core tree runtime serve apps/terminal)
mc_room(apps/repl TORCH SEES core telemetry working_context runtime apps/terminal apps/views)
mc_room(apps/commands TORCH SEES core telemetry tree documents cluster lm lm/tokenizer gistnet gistnet/training lensnet
                                 lensnet/training ranks ranks/c10d reader runtime runtime/stream serve serve/http
                                 eval/answers/program eval/base_model eval/chat eval/delta_nll eval/gist_probes
                                 eval/macros eval/repetition eval/report eval/retrieval eval/stream
                                 apps/repl apps/terminal apps/views)
mc_room(apps TORCH SEES telemetry apps/commands apps/terminal)

mc_room(bindings/python TORCH SEES core telemetry lm runtime serve serve/http serve/protocol)
