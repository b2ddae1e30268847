//! What every server needs: settings, keyring, tokens, clock, errors, the runner of mutations, telemetry.
