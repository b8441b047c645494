package io.peft4j.core.io;

import java.io.IOException;
import java.net.URISyntaxException;
import java.net.URL;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;

/** Files that tests read and make. */
public final class TestFiles {
    private TestFiles() {
    }

    /** A file below {@code src/test/resources/fixtures}. */
    public static Path fixture(String name) {
        URL url = TestFiles.class.getResource("/fixtures/" + name);
        if (url == null) {
            throw new IllegalArgumentException("There is no fixture " + name);
        }
        try {
            return Path.of(url.toURI());
        } catch (URISyntaxException e) {
            throw new IllegalArgumentException(e);
        }
    }

    /** A safetensors file of this header and this many bytes 0, 1, 2, ... of data. */
    public static byte[] safetensors(String header, int data) {
        byte[] json = header.getBytes(StandardCharsets.UTF_8);
        ByteBuffer bytes = ByteBuffer.allocate(8 + json.length + data).order(ByteOrder.LITTLE_ENDIAN);
        bytes.putLong(json.length).put(json);
        for (int i = 0; i < data; i++) {
            bytes.put((byte) i);
        }
        return bytes.array();
    }

    /** Writes bytes to a file in this folder. */
    public static Path write(Path folder, String name, byte[] bytes) throws IOException {
        return Files.write(folder.resolve(name), bytes);
    }
}
