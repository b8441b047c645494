/**
 * Fine-tuning jobs: what a client may ask for, what is looked at before, the training, what is left afterwards. Begin
 * with {@link io.peft4j.serve.job.JobWorker}.
 */
@io.peft4j.core.Internal
@org.jspecify.annotations.NullMarked
package io.peft4j.serve.job;
