package io.peft4j.cloud.storage;

import io.peft4j.core.error.ConfigurationException;
import io.peft4j.core.io.AtomicFiles;
import io.peft4j.core.io.RemoteFiles;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.function.Supplier;

/** Files in a storage whose client is made when it is first needed, since its libraries may not be there. */
public abstract class StoredFiles implements RemoteFiles {
    private final String scheme;
    private final String library;
    private final Supplier<ObjectStore> opener;

    StoredFiles(String scheme, String library, Supplier<ObjectStore> opener) {
        this.scheme = scheme;
        this.library = library;
        this.opener = opener;
    }

    @Override
    public String prefix() {
        return scheme + "://";
    }

    @Override
    public Path fetch(String text) {
        Address address = Address.of(text);
        Path root = LocalPlace.root(System.getenv());
        Path place = LocalPlace.of(root, address);
        try {
            new Transfer(store(address), root).fetch(address, place);
            return place;
        } catch (IOException e) {
            throw new UncheckedIOException("cannot fetch " + address + ": " + AtomicFiles.reason(e), e);
        }
    }

    @Override
    public void publish(Path local, String text) {
        Address address = Address.of(text);
        try {
            new Transfer(store(address), LocalPlace.root(System.getenv())).publish(local, address);
        } catch (IOException e) {
            throw new UncheckedIOException("cannot write " + address + ": " + AtomicFiles.reason(e), e);
        }
    }

    /**
     * The client of the storage.
     *
     * @throws ConfigurationException when its library is missing
     */
    public ObjectStore store(Address address) {
        try {
            return opener.get();
        } catch (LinkageError e) {
            throw new ConfigurationException(address + " needs " + library + " on the class path", e);
        }
    }
}
