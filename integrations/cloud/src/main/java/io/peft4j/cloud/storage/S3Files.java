package io.peft4j.cloud.storage;

/**
 * {@code s3://bucket/key}, through Amazon's SDK: credentials, region and endpoint ({@code AWS_ENDPOINT_URL}) are found
 * as it finds them.
 */
public final class S3Files extends StoredFiles {
    /** For ServiceLoader. */
    public S3Files() {
        // A reference to the method would load the class here, and with it a library that may not be there.
        super("s3", "Amazon's SDK (software.amazon.awssdk:s3 and url-connection-client)",
                () -> S3Store.fromEnvironment());
    }
}
