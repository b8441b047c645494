package io.peft4j.lora;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.peft4j.core.error.FileFormatException;
import io.peft4j.core.peft.PeftModel;
import io.peft4j.core.peft.TinyModel;
import io.peft4j.core.peft.TinyNetwork;
import io.peft4j.core.peft.file.AdapterSignature;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyPair;
import java.security.KeyPairGenerator;
import java.util.Base64;
import java.util.List;
import java.util.function.Function;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Only what was signed with the trusted key is loaded. */
class AdapterSignatureTest {
    private final TinyModel base = new TinyModel(new TinyNetwork(1, false, false));

    @TempDir
    private Path folder;
    private Path adapter;
    private AdapterSignature trusted;

    @BeforeEach
    void sign() throws IOException, GeneralSecurityException {
        adapter = folder.resolve("hr");
        try (PeftModel model = PeftModel.of(base, LoraConfig.builder().rank(2).targetModules("q_proj").build())) {
            model.saveAdapter(adapter);
        }
        Files.createDirectories(adapter.resolve("notes"));
        Files.writeString(adapter.resolve("notes/README.md"), "for leave");
        key("ours", "Ed25519");
        AdapterSignature.sign(adapter, folder.resolve("ours.pem"));
        trusted = AdapterSignature.trusting(folder.resolve("ours.pub"));
    }

    @AfterEach
    void close() {
        base.close();
    }

    private void key(String name, String algorithm) throws IOException, GeneralSecurityException {
        KeyPair pair = KeyPairGenerator.getInstance(algorithm).generateKeyPair();
        Files.writeString(folder.resolve(name + ".pem"), pem("PRIVATE", pair.getPrivate().getEncoded()));
        Files.writeString(folder.resolve(name + ".pub"), pem("PUBLIC", pair.getPublic().getEncoded()));
    }

    private static String pem(String kind, byte[] der) {
        return "-----BEGIN " + kind + " KEY-----\n" + Base64.getMimeEncoder().encodeToString(der) + "\n-----END " + kind
                + " KEY-----\n";
    }

    private void refused(String why) {
        refused(trusted, why);
    }

    private void refused(AdapterSignature by, String why) {
        String message = assertThrows(FileFormatException.class, () -> by.verify(adapter)).getMessage();
        assertTrue(message.startsWith(adapter + ": ") && message.contains(why), message);
        Function<Path, PeftModel> load = verified -> PeftModel.load(base, verified);
        assertEquals(message, assertThrows(FileFormatException.class, () -> by.load(adapter, load)).getMessage());
    }

    @Test
    void aSignedAdapterIsLoadedFromTheVerifiedCopy() throws IOException {
        assertEquals(Files.walk(adapter).filter(Files::isRegularFile).count() - 2, trusted.verify(adapter));
        Path[] copy = new Path[1];
        try (PeftModel model = trusted.load(adapter, verified -> {
            copy[0] = verified;
            write("adapter_config.json", "{}");
            write("adapter_model.safetensors", "changed after it was verified");
            return PeftModel.load(base, verified);
        })) {
            assertEquals(List.of("default"), model.adapterNames());
        }
        assertFalse(Files.exists(copy[0]));
        refused("is not what was signed");
    }

    private void write(String name, String text) {
        try {
            Files.writeString(adapter.resolve(name), text);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    @Test
    void aChangedByteIsRefused() throws IOException {
        Path weights = adapter.resolve("adapter_model.safetensors");
        byte[] bytes = Files.readAllBytes(weights);
        bytes[bytes.length - 1] ^= 1;
        Files.write(weights, bytes);
        refused("'adapter_model.safetensors' is not what was signed; get the adapter again");
    }

    @Test
    void anAddedAndALackingFileAreRefused() throws IOException {
        write("notes/more.md", "more");
        refused("has files that were not signed: [notes/more.md]; remove them, or sign it again");
        Files.delete(adapter.resolve("notes/more.md"));
        Files.delete(adapter.resolve("notes/README.md"));
        refused("lacks files that were signed: [notes/README.md]; get it again");
    }

    @Test
    void aLinkIsRefusedEvenToTheSameBytes() throws IOException {
        Path weights = adapter.resolve("adapter_model.safetensors");
        Path elsewhere = Files.move(weights, folder.resolve("elsewhere"));
        Files.createSymbolicLink(weights, elsewhere);
        refused("'adapter_model.safetensors' is a link or no plain file");
        assertThrows(FileFormatException.class, () -> AdapterSignature.sign(adapter, folder.resolve("ours.pem")));
        Files.delete(weights);
        Files.move(elsewhere, weights);
        Path outside = Files.move(adapter.resolve("notes"), folder.resolve("notes"));
        Files.createSymbolicLink(adapter.resolve("notes"), outside);
        refused("'notes' is a link or no plain file");
    }

    @Test
    void anotherKeyAChangedListAndNoSignatureAreRefused() throws IOException, GeneralSecurityException {
        key("theirs", "Ed25519");
        refused(AdapterSignature.trusting(folder.resolve("theirs.pub")), "was signed with another key than that of "
                + folder.resolve("theirs.pub"));
        Path list = adapter.resolve(AdapterSignature.MANIFEST);
        String signed = Files.readString(list);
        Files.writeString(list, signed.substring(signed.indexOf('\n') + 1));
        refused("or its adapter_manifest.sha256 was changed");
        Files.writeString(list, signed);
        assertTrue(trusted.verify(adapter) > 2);
        Files.write(adapter.resolve(AdapterSignature.SIGNATURE), new byte[3]);
        refused("was signed with another key");
        Files.delete(adapter.resolve(AdapterSignature.SIGNATURE));
        refused("is not signed: it has no adapter_manifest.sha256.sig");
    }

    @Test
    void whatIsNoKeyIsRefusedWithoutItsText() throws IOException, GeneralSecurityException {
        key("weak", "RSA");
        Files.writeString(folder.resolve("none.pem"), "secret");
        for (String name : List.of("weak.pem", "none.pem", "ours.pub")) {
            String message = assertThrows(FileFormatException.class,
                    () -> AdapterSignature.sign(adapter, folder.resolve(
                            name)))
                    .getMessage();
            assertTrue(message.contains("is no private key of Ed25519 in PEM") && !message.contains("secret"), message);
        }
        assertThrows(FileFormatException.class, () -> AdapterSignature.trusting(folder.resolve("ours.pem")));
        Path inside = Files.move(folder.resolve("ours.pem"), adapter.resolve("ours.pem"));
        String message = assertThrows(FileFormatException.class, () -> AdapterSignature.sign(adapter, inside))
                .getMessage();
        assertTrue(message.contains("inside of the adapter's folder"), message);
    }

    /** What it is made of must be signed, too. */
    @Test
    void partsElsewhereAreRefused() {
        write("adapter_config.json", "{\"peft_type\": \"XLORA\", \"hidden_size\": 8, \"adapters\": {\"0\": \"" + folder
                + "\"}}");
        AdapterSignature.sign(adapter, folder.resolve("ours.pem"));
        String message = assertThrows(FileFormatException.class, () -> trusted.load(adapter, verified -> verified))
                .getMessage();
        assertTrue(message.contains("'" + folder + "' is no folder in it"), message);
    }
}
