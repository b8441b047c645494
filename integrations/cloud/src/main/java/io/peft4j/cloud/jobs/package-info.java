/** Training jobs in the clouds, submitted and followed from here: {@link io.peft4j.cloud.jobs.CloudJobs}. */
package io.peft4j.cloud.jobs;
