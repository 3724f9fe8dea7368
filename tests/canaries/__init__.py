"""Nothing of a patient or a token is where it does not belong: searched once all tests are over."""
