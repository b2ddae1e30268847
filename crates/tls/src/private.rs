//! A certificate authority of one's own: for a trial, and for services among themselves.

use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair, KeyUsagePurpose,
    date_time_ymd,
};

use crate::TlsError;

/// A certificate with its key, both PEM.
#[derive(Debug, Clone)]
pub struct Made {
    /// The certificate.
    pub certificate: String,
    /// The key.
    pub key: String,
}

/// From which day to which something holds: year, month, day.
pub type Days = [(i32, u8, u8); 2];

fn params(names: &[String], called: &str, [from, to]: Days) -> Result<CertificateParams, TlsError> {
    let mut params = CertificateParams::new(names)?;
    params.distinguished_name = DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, called);
    params.not_before = date_time_ymd(from.0, from.1, from.2);
    params.not_after = date_time_ymd(to.0, to.1, to.2);
    Ok(params)
}

/// A new authority.
pub fn authority(days: Days) -> Result<Made, TlsError> {
    let mut params = params(&[], "xuezhu", days)?;
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    let made = CertifiedIssuer::self_signed(params, KeyPair::generate()?)?;
    Ok(Made { certificate: made.pem(), key: made.key().serialize_pem() })
}

/// A certificate for a process that is reached under these names and addresses, and reaches others: signed by the authority.
pub fn signed(by: &Made, called: &str, names: &[String], days: Days) -> Result<Made, TlsError> {
    let issuer = Issuer::from_ca_cert_pem(&by.certificate, KeyPair::from_pem(&by.key)?)?;
    let mut params = params(names, called, days)?;
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth, ExtendedKeyUsagePurpose::ClientAuth];
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.use_authority_key_identifier_extension = true;
    let key = KeyPair::generate()?;
    let certificate = params.signed_by(&key, &issuer)?;
    Ok(Made { certificate: certificate.pem(), key: key.serialize_pem() })
}
