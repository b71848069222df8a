package svm_test

import (
	"fmt"
	"log"

	"vgg/svm"
)

// Three classes of two points each in the plane.
func Example() {
	x := []float32{
		0, 3, 1, 4, // class 0, above
		3, 0, 4, 1, // class 1, right
		-3, -2, -2, -3, // class 2, below on the left
	}
	rows, err := svm.NewRows(x, 6, 2)
	if err != nil {
		log.Fatal(err)
	}
	targets, err := svm.FromLabels([]int{0, 0, 1, 1, 2, 2}, 3)
	if err != nil {
		log.Fatal(err)
	}
	model, err := svm.Train(rows, targets, svm.Options{Loss: svm.Hinge, C: 1, Bias: 1})
	if err != nil {
		log.Fatal(err)
	}
	test, err := svm.NewRows([]float32{1, 5, 5, 0, -1, -4}, 3, 2)
	if err != nil {
		log.Fatal(err)
	}
	classes, err := model.Predict(test)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(classes)
	// Output: [0 1 2]
}
