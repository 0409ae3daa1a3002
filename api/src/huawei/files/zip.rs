//! An archive of files as they are, without compression (APPNOTE 6.3.3, method 0).

/// CRC-32 (ISO-HDLC), bit by bit: an archive is small.
fn crc(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(u32::MAX, |crc, byte| {
        (0..8).fold(crc ^ u32::from(*byte), |crc, _| (crc >> 1) ^ (0xedb8_8320 & (crc & 1).wrapping_neg()))
    })
}

/// What both headers of a file have: from the version that is needed to the length of the name.
fn common(out: &mut Vec<u8>, name: &str, bytes: &[u8], len: u32) -> Option<()> {
    // version 2.0, names are UTF-8, stored, no time: the first of January 1980
    for half in [20_u16, 0x0800, 0, 0, 0x0021] {
        out.extend_from_slice(&half.to_le_bytes());
    }
    for word in [crc(bytes), len, len] {
        out.extend_from_slice(&word.to_le_bytes());
    }
    out.extend_from_slice(&u16::try_from(name.len()).ok()?.to_le_bytes());
    Some(())
}

/// The archive. None if it would be too large for one, 4 GiB.
pub(crate) fn archive(files: &[(String, Vec<u8>)]) -> Option<Vec<u8>> {
    let (mut out, mut list) = (Vec::new(), Vec::new());
    for (name, bytes) in files {
        let (at, len) = (u32::try_from(out.len()).ok()?, u32::try_from(bytes.len()).ok()?);
        out.extend_from_slice(b"PK\x03\x04");
        common(&mut out, name, bytes, len)?;
        out.extend_from_slice(&[0; 2]);
        out.extend_from_slice(name.as_bytes());
        out.extend_from_slice(bytes);
        list.extend_from_slice(b"PK\x01\x02\x14\x00");
        common(&mut list, name, bytes, len)?;
        // no extra field, comment, disk number or attributes
        list.extend_from_slice(&[0; 12]);
        list.extend_from_slice(&at.to_le_bytes());
        list.extend_from_slice(name.as_bytes());
    }
    let count = u16::try_from(files.len()).ok()?;
    let (at, len) = (u32::try_from(out.len()).ok()?, u32::try_from(list.len()).ok()?);
    out.append(&mut list);
    out.extend_from_slice(b"PK\x05\x06\0\0\0\0");
    out.extend_from_slice(&count.to_le_bytes());
    out.extend_from_slice(&count.to_le_bytes());
    out.extend_from_slice(&len.to_le_bytes());
    out.extend_from_slice(&at.to_le_bytes());
    out.extend_from_slice(&[0; 2]);
    Some(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_check_sum_is_that_of_the_standard() {
        assert_eq!(crc(b"123456789"), 0xcbf4_3926);
        assert_eq!(crc(b""), 0);
    }

    #[test]
    fn another_program_reads_the_archive() {
        let files = [("a_call_1.csv".to_owned(), b"one,two\r\n".to_vec()), ("b.csv".to_owned(), Vec::new())];
        let path = std::env::temp_dir().join(format!("cordboard-archive-{}.zip", std::process::id()));
        std::fs::write(&path, archive(&files).unwrap()).unwrap();
        let program = "import sys, zipfile; z = zipfile.ZipFile(sys.argv[1]); assert z.testzip() is None; \
                       print(*((n, z.read(n)) for n in z.namelist()))";
        let output = std::process::Command::new("python3").args(["-c", program]).arg(&path).output().unwrap();
        std::fs::remove_file(&path).unwrap();
        let said = String::from_utf8_lossy(&output.stdout).trim().to_owned();
        assert_eq!(said, r"('a_call_1.csv', b'one,two\r\n') ('b.csv', b'')", "{output:?}");
    }
}
