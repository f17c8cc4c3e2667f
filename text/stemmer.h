// SPDX-License-Identifier: Apache-2.0
// English stems by Snowball's rules, behind which libstemmer stays. One thread at a time.
#pragma once

#include <string>

struct sb_stemmer;

namespace mc::text {

class Stemmer {
  public:
    Stemmer();
    ~Stemmer();
    Stemmer(const Stemmer&) = delete;
    Stemmer& operator=(const Stemmer&) = delete;

    // Words that hold anything but a…z come back as they are.
    std::string stem(const std::string& word);

  private:
    sb_stemmer* stemmer_;
};

}  // namespace mc::text
