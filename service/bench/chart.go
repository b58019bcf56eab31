package main

func chart(*result) string { return "" }
