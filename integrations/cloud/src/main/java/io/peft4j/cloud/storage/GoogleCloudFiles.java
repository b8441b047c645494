package io.peft4j.cloud.storage;

/**
 * {@code gs://bucket/key}, through Google's SDK: credentials and endpoint ({@code STORAGE_EMULATOR_HOST}) are found as
 * it finds them.
 */
public final class GoogleCloudFiles extends StoredFiles {
    /** For ServiceLoader. */
    public GoogleCloudFiles() {
        // A reference to the method would load the class here, and with it a library that may not be there.
        super("gs", "Google's SDK (com.google.cloud:google-cloud-storage)", () -> GoogleStore.fromEnvironment());
    }
}
