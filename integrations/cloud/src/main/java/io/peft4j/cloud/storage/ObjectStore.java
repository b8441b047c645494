package io.peft4j.cloud.storage;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/** What a storage can do. Its failures are {@link IOException}s that name the address. */
public interface ObjectStore {
    /** The object of exactly this address. */
    Optional<StoredObject> find(Address address) throws IOException;

    /** The objects below a folder, without those that only mark one. */
    List<StoredObject> list(Address folder) throws IOException;

    /**
     * Opens an object.
     *
     * @param address its address
     * @param version the version that is wanted; another fails
     * @param from the first byte that is wanted
     */
    InputStream open(Address address, String version, long from) throws IOException;

    /**
     * Writes an object, which is there whole or not at all.
     *
     * @param file its content
     * @param address its address
     * @param sha256 the checksum of its content
     */
    void write(Path file, Address address, String sha256) throws IOException;

    /** Deletes an object, if it exists. */
    void delete(Address address) throws IOException;
}
