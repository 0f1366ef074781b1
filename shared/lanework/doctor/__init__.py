"""The doctor: rules over what a stack is made of. Pure; what is read, and from where, is others' work."""
