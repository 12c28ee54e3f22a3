// Tests of the server as a program meets it.
