# SPDX-License-Identifier: Apache-2.0
"""Each lint tool accepts a good source tree and finds every planted fault (a canary per rule)."""

import pathlib
import subprocess
import sys
import tempfile
import unittest

TOOLS = pathlib.Path(__file__).resolve().parents[2] / "tools"
SPDX = "// SPDX-License-Identifier: Apache-2.0\n"
HEADER = SPDX + "// A sample header that says what it is.\n#pragma once\n"

LAYERS = ("mc_room(core)\n"
          "mc_room(storage/lmdb SEES core)\n"
          "mc_room(storage SEES core storage/lmdb)\n"
          "mc_room(lm/kernels SEES core)\n"
          "mc_room(lm/torch TORCH SEES lm/kernels)\n"
          "mc_room(lm TORCH SEES lm/torch)\n"
          "mc_room(gistnet TORCH SEES lm lm/torch)\n"
          "mc_room(apps TORCH\n            SEES gistnet storage)\n")

# As small as a tree can be in which every row has its folder and every permission its use.
GOOD = {
    "cmake/Layers.cmake": LAYERS,
    "core/CMakeLists.txt": "mc_module(SOURCES ids.cpp)\n",
    "core/ids.cpp": SPDX + '#include "core/ids.h"\n\n#include <sys/stat.h>\n#include <string>\n',
    "core/ids.h": HEADER,
    "storage/lmdb/env.h": HEADER + '#include "core/ids.h"\n',
    "storage/lmdb/pages.h": HEADER + "#include <lmdb.h>\n",
    "storage/store.h": HEADER + '#include "core/ids.h"\n#include "storage/lmdb/env.h"\n',
    "lm/kernels/rows.h": HEADER + '#include "core/ids.h"\n',
    "lm/torch/torch_fence.h": HEADER + '#include <ATen/ATen.h>\n#include "lm/kernels/rows.h"\n',
    "lm/torch/names.h": HEADER,
    "lm/model.h": HEADER + '#include "lm/torch/names.h"\n',
    "gistnet/net.h": HEADER + '#include "lm/model.h"\n#include "lm/torch/torch_fence.h"\n',
    "gistnet/encoder.h": HEADER,
    "apps/run.h": HEADER + '#include "gistnet/encoder.h"\n#include "storage/store.h"\n',
    "tests/CMakeLists.txt": "set(suites\n    core\n    lm/torch\n)\n",
    "tests/core/CMakeLists.txt": "mc_test(NAME core_test SOURCES ids_test.cpp)\n",
    "tests/lm/torch/CMakeLists.txt": "\n",
    "tests/core/ids_test.cpp": SPDX + '#include "core/ids.h"\n#include "lm/kernels/rows.h"\n'
                                      "#include <gtest/gtest.h>\n",
    "scripts/run": "#!/usr/bin/env bash\n# SPDX-License-Identifier: Apache-2.0\n",
}


class LintTools(unittest.TestCase):
    def run_tool(self, tool, planted):
        """Status and output of a tool on the good tree with the planted files over it."""
        with tempfile.TemporaryDirectory() as folder:
            for name, text in {**GOOD, **planted}.items():
                path = pathlib.Path(folder, name)
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(text if isinstance(text, bytes) else text.encode())
            answer = subprocess.run([sys.executable, str(TOOLS / tool), folder],
                                    capture_output=True, text=True, check=False)
        return answer.returncode, answer.stdout + answer.stderr

    def expect_finding(self, tool, planted, expected):
        status, output = self.run_tool(tool, planted)
        self.assertEqual(status, 1, output)
        self.assertIn(expected, output)
        self.assertIn("1 finding(s)", output)

    def expect_clean(self, tool, planted=None):
        status, output = self.run_tool(tool, planted or {})
        self.assertEqual(status, 0, output)

    def test_the_good_tree_is_clean(self):
        for tool in ("check_layers.py", "check_tests_registered.py", "check_size.py",
                     "check_text.py"):
            with self.subTest(tool):
                self.expect_clean(tool)

    def expect_layers_finding(self, planted, expected):
        self.expect_finding("check_layers.py", planted, expected)

    def test_layers_finds_an_upward_include(self):
        self.expect_layers_finding({"core/a.h": HEADER + '#include "lm/kernels/rows.h"\n'},
                                   "core/a.h:4: core may not see lm/kernels")

    def test_layers_finds_a_sideways_include(self):
        self.expect_layers_finding({"lm/a.cpp": SPDX + '#include "storage/store.h"\n'},
                                   "lm may not see storage")

    def test_layers_finds_gistnet_looking_past_the_face_of_lm(self):
        self.expect_layers_finding({"gistnet/a.cpp": SPDX + '#include "lm/kernels/rows.h"\n'},
                                   "gistnet may not see lm/kernels")

    def test_layers_finds_a_room_looking_into_a_room_of_another(self):
        self.expect_layers_finding({"apps/a.cpp": SPDX + '#include "storage/lmdb/env.h"\n'},
                                   "apps may not see storage/lmdb")

    def test_layers_finds_an_unknown_folder(self):
        self.expect_layers_finding({"lm/a.cpp": SPDX + '#include "ids.h"\n'}, "names no room")

    def test_layers_finds_a_folder_without_a_row(self):
        self.expect_layers_finding({"lm/attic/a.cpp": SPDX}, "lm/attic: no row of")

    def test_layers_finds_a_row_without_a_folder(self):
        self.expect_layers_finding({"cmake/Layers.cmake": LAYERS + "mc_room(attic)\n"},
                                   "there is no folder attic")

    def test_layers_finds_a_row_that_looks_up(self):
        upward = {"cmake/Layers.cmake": LAYERS.replace("mc_room(core)", "mc_room(core SEES lm)"),
                  "core/a.h": HEADER + '#include "lm/model.h"\n'}
        self.expect_layers_finding(upward, "core sees lm, which is not above it")

    def test_layers_finds_a_room_without_torch_that_sees_one_with_it(self):
        self.expect_layers_finding(
            {"cmake/Layers.cmake": LAYERS.replace("mc_room(lm TORCH", "mc_room(lm")},
            "lm is without TORCH and sees lm/torch")

    def test_layers_finds_a_permission_that_nobody_uses(self):
        self.expect_layers_finding({"apps/run.h": HEADER + '#include "gistnet/encoder.h"\n'},
                                   "nothing in apps includes storage")

    def test_layers_finds_a_library_outside_its_rim(self):
        for header in ("lmdb.h", "faiss/Index.h", "capnp/message.h", "kj/io.h", "sqlite3.h",
                       "torch/torch.h", "ATen/ATen.h", "c10/core/Device.h", "pcre2.h",
                       "histedit.h", "spdlog/logger.h", "gtest/gtest.h"):
            with self.subTest(header):
                self.expect_layers_finding({"storage/a.cpp": SPDX + f"#  include <{header}>\n"},
                                           f"storage/a.cpp:2: <{header}> is allowed in")

    def test_layers_finds_libtorch_behind_a_header(self):
        planted = {"gistnet/encoder.h": HEADER + '#include "gistnet/net.h"\n'}
        self.expect_layers_finding(planted, "apps/run.h:4: gistnet/encoder.h brings <ATen/ATen.h>")

    def test_layers_finds_a_rims_library_behind_a_header(self):
        self.expect_layers_finding({"storage/a.cpp": SPDX + '#include "storage/lmdb/pages.h"\n'},
                                   "storage/lmdb/pages.h brings <lmdb.h> to another room")

    def test_layers_finds_a_library_that_nobody_listed(self):
        self.expect_layers_finding({"core/a.cpp": SPDX + "#include <folly/F.h>\n"},
                                   "not in the table")

    def test_registered_finds_a_test_that_never_runs(self):
        self.expect_finding("check_tests_registered.py", {"tests/core/lost_test.cpp": SPDX},
                            "tests/core/lost_test.cpp: no CMakeLists.txt names it")

    def test_registered_finds_a_test_that_is_commented_out(self):
        self.expect_finding("check_tests_registered.py",
                            {"tests/core/CMakeLists.txt": "# mc_test(SOURCES ids_test.cpp)\n"},
                            "tests/core/ids_test.cpp")

    def test_registered_finds_a_dead_source(self):
        self.expect_finding("check_tests_registered.py", {"core/dead.cpp": SPDX}, "core/dead.cpp")

    def test_registered_finds_a_suite_that_is_not_listed(self):
        self.expect_finding("check_tests_registered.py", {"tests/lost/CMakeLists.txt": "\n"},
                            "tests/lost/CMakeLists.txt")
        self.expect_finding("check_tests_registered.py", {"tests/lm/lost/CMakeLists.txt": "\n"},
                            "tests/lm/lost/CMakeLists.txt")

    def test_size_finds_the_first_line_too_many(self):
        self.expect_clean("check_size.py", {"core/ids.h": "//\n" * 600})
        self.expect_finding("check_size.py", {"core/ids.h": "//\n" * 601},
                            "core/ids.h: 601 lines")

    def test_size_finds_the_first_line_too_many_of_a_function(self):
        def function(line_count):
            body = "    int x[] = {1, 2};  // }\n" + "    f([] { return '}'; });\n" * (line_count - 4)
            return (SPDX + "namespace mc {\nint y = 1;\nint Type::f(int a,\n            int b) const {\n"
                    + body + "}\n}  // namespace mc\n")

        self.expect_clean("check_size.py", {"core/ids.cpp": function(70)})
        self.expect_finding("check_size.py", {"core/ids.cpp": function(71)},
                            "core/ids.cpp:4: Type::f has 71 lines")

    def test_size_finds_a_long_method_within_a_class_and_a_long_constructor(self):
        body = "        if (x) { y(); }\n" * 69
        for head in ("void g() override {", "explicit Type(int x) : a_{x}, b_(x) {"):
            with self.subTest(head):
                text = f"class Type : Base {{\n    int a_ = {{1}};\n    {head}\n{body}    }}\n}};\n"
                self.expect_finding("check_size.py", {"core/ids.h": HEADER + text},
                                    "core/ids.h:6:")

    def test_size_finds_a_long_function_of_python(self):
        self.expect_finding("check_size.py", {"tools/a.py": "def f():\n" + "    x = 1\n" * 70},
                            "tools/a.py:1: f has 71 lines")

    def test_text_finds_a_missing_licence_line(self):
        self.expect_finding("check_text.py", {"core/ids.cpp": "#include <string>\n"}, "no SPDX")
        self.expect_finding("check_text.py", {"scripts/run": "#!/bin/sh\n\n"}, "no SPDX")

    def test_text_finds_a_header_that_does_not_say_what_it_is(self):
        self.expect_finding("check_text.py", {"core/ids.h": SPDX + "#pragma once\n"},
                            "core/ids.h:2: a header begins")

    def test_text_finds_what_belongs_to_one_machine(self):
        for text in ("/ho" + "me/me/x", "cd /ro" + "ot/x", '"/tm' + 'p/x"', "/wo" + "rk/x",
                     "https://pypi" + ".org/simple"):
            with self.subTest(text):
                self.expect_finding("check_text.py", {"README.md": text + "\n"}, "README.md:1")

    def test_text_lets_relative_and_variable_folders_be(self):
        self.expect_clean("check_text.py",
                          {"README.md": "tests/tm" + "p/x $root/build a/ho" + "me/x /usr/share\n"})

    def test_text_finds_issue_numbers_overdue_work_and_ragged_ends(self):
        for text in ("see issue" + " 3\n", "TODO(" + "now) fix\n", "word \n", "no newline"):
            with self.subTest(text):
                self.expect_finding("check_text.py", {"README.md": text}, "README.md")

    def test_text_lets_binary_files_be(self):
        self.expect_clean("check_text.py", {"tests/golden/a.bin": b"\0/tm" + b"p/x"})

    def test_format_finds_ugly_code(self):
        style = {".clang-format": "BasedOnStyle: Google\nSortIncludes: false\n"}
        status, output = self.run_tool("check_format.py", {**style, "core/ids.h": HEADER})
        if status == 77:
            self.skipTest(output)
        self.expect_finding("check_format.py", {**style, "core/ids.cpp": SPDX + "int   a ;\n"},
                            "core/ids.cpp:2")

    def test_thread_safety_finds_a_guarded_member_without_its_lock(self):
        mutex = (pathlib.Path(__file__).resolve().parents[2] / "core/mutex.h").read_text()
        locked = ("    int get() const {\n        const mc::ScopedLock lock(mutex_);\n"
                  "        return x_;\n    }\n")
        body = ('#include "core/mutex.h"\n\nclass Box {\n  public:\n' + locked + "{}"
                "  private:\n    mutable mc::Mutex mutex_;\n    int x_ MC_GUARDED_BY(mutex_) = 0;\n};\n")
        tree = {"core/mutex.h": mutex, "core/box.cpp": SPDX + body.replace("{}", "")}
        status, output = self.run_tool("check_thread_safety.py", tree)
        if status == 77:
            self.skipTest(output)
        self.assertEqual(status, 0, output)
        unlocked = body.replace("{}", "    int peek() const { return x_; }\n")
        self.expect_finding("check_thread_safety.py", {**tree, "core/box.cpp": SPDX + unlocked},
                            "reading variable 'x_' requires holding mutex 'mutex_'")
        self.expect_finding("check_thread_safety.py", {**tree, "tree/a.h": HEADER + "std::mutex m;\n"},
                            "std::mutex carries no marks")

    def test_shell_finds_an_unquoted_variable(self):
        status, output = self.run_tool("check_shell.py", {})
        if status == 77:
            self.skipTest(output)
        self.expect_clean("check_shell.py")
        self.expect_finding("check_shell.py", {"scripts/run": "#!/bin/bash\nrm $1\n"},
                            "scripts/run:2")


if __name__ == "__main__":
    unittest.main()
