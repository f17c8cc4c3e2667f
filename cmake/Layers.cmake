# The layer table (docs/architecture.md). A layer sees only what its MEGACONTEXT_SEES_<layer>
# lists. mc_module() refuses any other link edge; tools/check_layers.py reads this file and
# refuses any other #include.
set(MEGACONTEXT_LAYERS core telemetry text tree working_context storage lm gistnet lensnet runtime eval apps)

set(MEGACONTEXT_SEES_core "")
set(MEGACONTEXT_SEES_telemetry core)
set(MEGACONTEXT_SEES_text core)
set(MEGACONTEXT_SEES_tree core telemetry)
set(MEGACONTEXT_SEES_working_context core telemetry tree)
set(MEGACONTEXT_SEES_storage core telemetry text tree)
set(MEGACONTEXT_SEES_lm core telemetry tree)
set(MEGACONTEXT_SEES_gistnet core telemetry tree lm)
set(MEGACONTEXT_SEES_lensnet core telemetry tree lm working_context)
set(MEGACONTEXT_SEES_runtime core telemetry text tree working_context storage lm gistnet lensnet)
set(MEGACONTEXT_SEES_eval core telemetry text tree working_context storage lm gistnet lensnet runtime)
set(MEGACONTEXT_SEES_apps core telemetry text tree working_context storage lm gistnet lensnet runtime eval)
