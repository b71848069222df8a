package reproduce_test

import (
	"context"
	"fmt"
	"log"

	"vgg/configs"
	"vgg/reproduce"
	"vgg/trainer"
)

// Section 4 on Fashion-MNIST with one seed. This takes minutes; if it is interrupted, the same program continues.
func ExampleRun() {
	recipe, err := configs.LoadRecipe("miniature")
	if err != nil {
		log.Fatal(err)
	}
	pictures, err := trainer.OpenData(recipe, nil)
	if err != nil {
		log.Fatal(err)
	}
	defer pictures.Close()

	plan := reproduce.Plan{Recipe: recipe, Seeds: []uint64{1}, Dir: "runs/reproduce"}
	report, err := reproduce.Run(context.Background(), plan, pictures, nil)
	if err != nil {
		log.Fatal(err)
	}
	for _, finding := range report.Findings {
		fmt.Println(finding.Claim, "–", finding.Verdict)
	}
}
