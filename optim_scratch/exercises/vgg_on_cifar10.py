"""Exercises of the chapter on the VGG on CIFAR-10."""
