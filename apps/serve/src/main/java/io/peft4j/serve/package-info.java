/**
 * OpenAI's HTTP API for files, fine-tuning jobs, models and answers, on the own machine. {@link
 * io.peft4j.serve.FineTuningServer} is where to begin.
 */
@org.jspecify.annotations.NullMarked
package io.peft4j.serve;
