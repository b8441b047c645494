package io.peft4j.cloud.storage;

import io.peft4j.core.error.ConfigurationException;

/**
 * An address in a storage.
 *
 * @param scheme {@code s3} or {@code gs}
 * @param bucket the bucket
 * @param key the key of an object, or what the keys of a folder's objects begin with; without a slash at its end
 */
public record Address(String scheme, String bucket, String key) {
    /**
     * The address that a text says.
     *
     * @throws ConfigurationException when it has no bucket, or a part that leads upwards
     */
    public static Address of(String text) {
        int colon = text.indexOf("://");
        String rest = text.substring(colon + 3).replaceFirst("/+$", "");
        int slash = rest.indexOf('/');
        String bucket = slash < 0 ? rest : rest.substring(0, slash);
        String key = slash < 0 ? "" : rest.substring(slash + 1);
        if (bucket.isBlank()) {
            throw new ConfigurationException("the address " + text + " has no bucket; it looks like "
                    + text.substring(0, colon) + "://bucket/folder/file");
        }
        requirePlain(key);
        return new Address(text.substring(0, colon), bucket, key);
    }

    /** Keys become names of files, which must not lead out of their folder. */
    static void requirePlain(String key) {
        for (String part : key.split("/", -1)) {
            if (part.equals("..") || part.equals(".") || part.isEmpty() && !key.isEmpty() || part.indexOf('\\') >= 0
                    || part.indexOf('\0') >= 0) {
                throw new ConfigurationException("the key '" + key + "' is not a path: it has the part '" + part
                        + "'; copy the object to another key");
            }
        }
    }

    /** The address of a file in this folder. */
    public Address resolve(String name) {
        return new Address(scheme, bucket, key.isEmpty() ? name : key + "/" + name);
    }

    @Override
    public String toString() {
        return scheme + "://" + bucket + (key.isEmpty() ? "" : "/" + key);
    }
}
