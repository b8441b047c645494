package io.peft4j.serve.store.internal;

/**
 * A model that a job has left.
 *
 * @param name what clients call it
 * @param base the base model
 * @param owner id of the key of the job
 * @param project whose keys see it
 * @param job the job
 * @param folder where its adapter lies, relative to the data folder
 * @param checkpoint whether it is one of those on the way
 * @param createdAt seconds since 1970
 */
public record StoredModel(String name, String base, String owner, String project, String job, String folder,
        boolean checkpoint,
        long createdAt) {
}
