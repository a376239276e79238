#pragma once

#include "auth/sasl.h"

#include <string>

// The exchange of RFC 7677 §3 in base64, as FakeAuthenticator has it.
namespace posthorn::testing::scram_example {

inline const std::string client_first = auth::encode_base64("n,,n=user,r=rOprNGfwEbeRWgbNEkqO");
inline const std::string server_first = auth::encode_base64(
    "r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096");
inline const std::string client_final = auth::encode_base64(
    "c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,"
    "p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=");
inline const std::string server_final = auth::encode_base64("v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=");
// With another password's proof.
inline const std::string wrong_final = auth::encode_base64(
    "c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,"
    "p=AHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=");

}  // namespace posthorn::testing::scram_example
