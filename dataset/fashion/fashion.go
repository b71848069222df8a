package fashion

import "embed"

//go:generate go run gen.go /usr/share/datasets/fashion-mnist

// Name is the data set's, for messages.
const Name = "Fashion-MNIST (10,000 + 2,000)"

// Files are train-images-idx3-ubyte.gz, train-labels-idx1-ubyte.gz and those of the test pictures, t10k.
//
//go:embed *.gz
var Files embed.FS

// Classes are the names of the classes by label.
func Classes() []string {
	return []string{"T-shirt/top", "Trouser", "Pullover", "Dress", "Coat", "Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot"}
}
