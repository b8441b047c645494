package io.peft4j.cloud.jobs;

import io.peft4j.core.error.ConfigurationException;
import io.peft4j.core.option.With;
import java.time.Duration;
import java.util.Collections;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/**
 * A training job on one machine of a cloud.
 *
 * @param name its name: letters, digits and dashes
 * @param image the image of the container, which runs {@code peft4j sagemaker} or {@code peft4j vertex}
 * @param machine type of the machine, for instance {@code ml.m7i.2xlarge} or {@code n2-standard-8}
 * @param identity what the job may do: SageMaker's role, Vertex AI's service account; empty for Vertex AI's default
 * @param model the base model: a hub ID, or an address of the cloud's storage
 * @param data address of the training data
 * @param validation address of the validation data
 * @param output address of the folder for what the job leaves
 * @param options options of {@code train}, with underscores
 * @param diskGigabytes size of the disk; default 50
 * @param spot whether the machine may be taken away, at a lower price; the job then resumes from its checkpoints
 * @param limit the longest time of the job; default a day
 */
@With
public record CloudJobRequest(String name, String image, String machine, Optional<String> identity, String model,
        String data, Optional<String> validation, String output, Map<String, String> options, int diskGigabytes,
        boolean spot, Duration limit) implements CloudJobRequestWith {
    private static final int LONGEST_NAME = 63;

    /**
     * Copies the options.
     *
     * @throws ConfigurationException when the name cannot be one
     */
    public CloudJobRequest {
        options = Collections.unmodifiableMap(new TreeMap<>(options));
        if (!name.matches("[a-zA-Z0-9](-*[a-zA-Z0-9])*") || name.length() > LONGEST_NAME) {
            throw new ConfigurationException("invalid job name '" + name + "': use at most " + LONGEST_NAME
                    + " letters, digits and '-', with a letter or digit at both ends");
        }
    }

    /** A request that still lacks model, data and output. */
    public static CloudJobRequest of(String name, String image, String machine) {
        return new CloudJobRequest(name, image, machine, Optional.empty(), "", "", Optional.empty(), "", Map.of(), 50,
                false,
                Duration.ofDays(1));
    }

    /** The same with data, and perhaps validation data. */
    public CloudJobRequest withData(String value, Optional<String> held) {
        return withData(value).withValidation(held);
    }

    /** The same on a machine that may be taken away, within a time. */
    public CloudJobRequest onSpot(Duration longest) {
        return withSpot(true).withLimit(longest);
    }

    /** The address in the output folder of what a job of this name keeps. */
    String outputOf(String what) {
        return output.replaceFirst("/+$", "") + "/" + name + "/" + what;
    }

    /** Fails where something is missing, or lies in another storage than the cloud's. */
    void requireIn(String prefix) {
        requirePlace("data", data, prefix);
        requirePlace("output", output, prefix);
        validation.ifPresent(place -> requirePlace("validation", place, prefix));
        if (model.isBlank()) {
            throw new ConfigurationException("the job '" + name + "' has no base model");
        }
    }

    private void requirePlace(String what, String place, String prefix) {
        if (!place.startsWith(prefix)) {
            throw new ConfigurationException("the " + what + " of the job '" + name + "' is '" + place
                    + "'; it must be an address " + prefix + "bucket/...");
        }
    }
}
