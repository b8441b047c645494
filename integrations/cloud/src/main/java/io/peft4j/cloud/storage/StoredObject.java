package io.peft4j.cloud.storage;

import java.util.Optional;

/**
 * An object as a storage describes it.
 *
 * @param key its key
 * @param size its bytes
 * @param version changes with its content
 * @param checksum of its content, where the storage has one
 */
record StoredObject(String key, long size, String version, Optional<Checksum> checksum) {
}
