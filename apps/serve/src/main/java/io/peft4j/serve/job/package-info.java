/**
 * What an application may choose about fine-tuning jobs: {@link io.peft4j.serve.job.VerdictOptions}, the comparison
 * with the base that a job ends with.
 */
@org.jspecify.annotations.NullMarked
package io.peft4j.serve.job;
