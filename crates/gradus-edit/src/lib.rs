//! Changes named values in files and leaves every other byte alone.
