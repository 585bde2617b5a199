"""How good are the answers after so many labels, Lantern beside what users would pick instead?"""
