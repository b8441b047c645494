/** An application for {@code spark-submit}: {@link io.peft4j.examples.spark.AnswerQuestions}. */
package io.peft4j.examples.spark;
