package io.peft4j.examples.spark;

import static io.peft4j.core.peft.config.TargetModules.ALL_LINEAR;

import io.peft4j.core.peft.PeftModel;
import io.peft4j.data.ChatDataset;
import io.peft4j.lora.LoraConfig;
import io.peft4j.spark.SparkTrainer;
import io.peft4j.spark.SparkTrainingResult;
import org.apache.spark.sql.SparkSession;

/**
 * A model learns a company's handbook on the executors of Spark. Arguments: the base model, a file of conversations,
 * the output folder on shared storage, the number of workers and the number of epochs.
 */
public final class TrainHandbook {
    private TrainHandbook() {
    }

    /** Runs the program. */
    public static void main(String[] args) {
        SparkSession spark = SparkSession.builder().appName("handbook").getOrCreate();
        try {
            int epochs = Integer.parseInt(args[4]);
            SparkTrainer trainer = SparkTrainer.builder(spark).base(args[0]).output(args[2])
                    .workers(Integer.parseInt(args[3])).checkpointEverySteps(20).build();
            SparkTrainingResult result = trainer.train(args[1], worker -> {
                try (PeftModel model = worker.base().withAdapter(
                        LoraConfig.builder().rank(16).alpha(32).targetModules(ALL_LINEAR).build())) {
                    return worker.trainer(model).epochs(epochs).batchSize(8).learningRate(1e-3).build()
                            .train(ChatDataset.read(worker.data()));
                }
            });
            System.out.println(result);
        } finally {
            spark.stop();
        }
    }
}
