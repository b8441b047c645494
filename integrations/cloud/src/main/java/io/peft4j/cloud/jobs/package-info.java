/** Training jobs in the clouds, submitted and followed from here: {@link io.peft4j.cloud.jobs.CloudJobs}. */
@org.jspecify.annotations.NullMarked
package io.peft4j.cloud.jobs;
