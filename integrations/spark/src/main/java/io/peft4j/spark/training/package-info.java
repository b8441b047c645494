/** Trainings that the executors of Spark share. {@link io.peft4j.spark.training.SparkTrainer} first. */
@org.jspecify.annotations.NullMarked
package io.peft4j.spark.training;
