"""The words of autograd: what each means in a few lines, found in running text and opened where it stands."""
