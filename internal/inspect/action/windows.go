package action

import (
	"encoding/base64"
	"regexp"
	"slices"
	"strings"
	"sync"
	"unicode/utf16"

	"github.com/workingagents/gatehouse/internal/flow"
)

// windowsRoot is a disk, the system or a home, with a bit of what is around it.
const windowsRoot = `(["'\s]|^)([a-z]:\\?(\*|["'\s]|$)|[a-z]:\\(windows|users|program files)\\?(\*|["'\s]|$)|\$home\\?["'\s*]|\$env:(userprofile|systemroot|windir|systemdrive)\\?(\*|["'\s]|$))`

// PowerShell and cmd are judged by patterns. Each is tried only where one of its
// anchors stands: words in lower case, between bars.
var windowsRows = []struct {
	anchors  string
	pattern  string
	rule     string
	severity flow.Severity
	percent  int
	note     string
}{
	{"downloadstring|downloaddata|iwr|invoke-webrequest|invoke-restmethod|irm |webclient|httpclient", `(iex|invoke-expression)\b.{0,200}(downloadstring|downloaddata|iwr|irm|invoke-webrequest|invoke-restmethod|webclient|http)|(downloadstring|iwr|irm|invoke-webrequest|invoke-restmethod)\b.{0,300}\|\s*(iex|invoke-expression)|\.\s*\(\s*\[scriptblock\]::create.{0,80}(iwr|irm|download)`, DownloadRun, critical, 95, "what is fetched is run at once"},
	{"iex|invoke-expression|scriptblock|reflection.assembly|::load", `\b(iex|invoke-expression)\b|\[scriptblock\]::create|reflection\.assembly\]::load\(`, HiddenRun, medium, 65, "runs a text as code"},
	{"-enc|-e |/e ", `(powershell|pwsh)(\.exe)?\b.{0,200}\s[-/]e(nc|ncodedcommand|c)?\s+["']?[a-z0-9+/=]{16,}`, HiddenRun, high, 88, "encoded commands are run"},
	{"frombase64string", `frombase64string`, HiddenRun, medium, 55, "decodes what may be run"},
	{"downloadfile|invoke-webrequest|iwr |start-bitstransfer|curl|wget|bitsadmin|certutil|invoke-restmethod", `(downloadfile|start-bitstransfer|invoke-webrequest|\biwr\b|bitsadmin.{0,80}(transfer|addfile)|certutil.{0,60}(urlcache|verifyctl|-url)|curl(\.exe)?\s.{0,300}(-o|>)).{0,600}(\.exe|\.dll|\.ps1|\.bat|\.vbs|\.js\b|\.hta|\.msi|\.zip|\.sct|\.xml|\.txt)`, DownloadRun, high, 65, "fetches a program"},
	{"bitsadmin|certutil|esentutl|desktopimgdownldr|certreq|ieexec|hh.exe|mshta|imewdbld|cmdl32|finger|extrac32|expand|replace.exe|makecab", `bitsadmin.{0,200}(/transfer|/create|/setnotifycmdline|/addfile)|certutil.{0,100}(-urlcache|-decode|-encode|-verifyctl|-f\b|-exportpfx|-addstore)|desktopimgdownldr|mshta|imewdbld|certreq.{0,60}-post|cmdl32|hh\.exe.{0,40}http|extrac32|esentutl.{0,40}(/y|/vss)`, HiddenRun, high, 75, "has Windows' own program fetch, decode or run"},
	{"rundll32|regsvr32|mshta|installutil|regasm|regsvcs|msbuild|cmstp|odbcconf|wmic|msiexec|infdefaultinstall|syncappv|pcalua|forfiles|scriptrunner|presentationhost|control.exe|mavinject|wuauclt|appvlp|pubprn|verclsid|tttracer|msdt|xwizard|dfsvc|bash.exe|conhost|cscript|wscript|ftp -s|csc.exe|jsc.exe|vbc.exe|gfxdownload|provlaunch|register-cimprovider|diskshadow|dnscmd|advpack|workfolders|runscripthelper|atbroker|extexport|sqlps|tracker|winword|squirrel|update.exe|dotnet|cdb.exe|rcsi|te.exe|bginfo|manage-bde|openconsole|teams|wsreset|fodhelper|eventvwr|computerdefaults|sdclt|slui",
		`\b(rundll32|regsvr32|mshta|installutil|regasm|regsvcs|cmstp|odbcconf|infdefaultinstall|syncappvpublishing\w*|pcalua|forfiles|scriptrunner|presentationhost|mavinject|wuauclt|appvlp|pubprn|verclsid|tttracer|msdt|xwizard|gfxdownloadwrapper|provlaunch|register-cimprovider|diskshadow|advpack|workfolders|runscripthelper|atbroker|extexport|csc|jsc|vbc|wsreset|fodhelper|eventvwr|computerdefaults|sdclt|slui|conhost|cscript|wscript)(\.exe|\.vbs|\.dll)?\b|msiexec(\.exe)?\s.{0,60}(/q|/i|/y|/z|http)|msbuild(\.exe)?.{0,120}\.(xml|csproj)"?\s*$|control(\.exe)?\s.{0,100}\.cpl|ftp\s+-s:|wmic.{0,200}(process\s+call|/format:|product\s+where|/node:)|squirrel|update\.exe\s+--processstart`, HiddenRun, high, 65, "has Windows' own program run something"},
	{"reg|new-itemproperty|set-itemproperty|new-item|sp |registry", `(reg(\.exe)?\s+add|new-itemproperty|set-itemproperty|new-item\b|registry]::setvalue|\bsp\b).{0,300}(currentversion\\+(run|runonce|policies\\+explorer\\+run|explorer\\+(shell folders|user shell folders|startupapproved|shelliconoverlay|browser helper)|shellserviceobject|image file execution|silentprocessexit|winlogon|windows\\+load|app paths|appcompatflags)|winlogon|\\lsa\b|securityproviders|print\\+monitors|environment|appinit|netsh|inprocserver|\\services\\|userinit|bootexecute|command\s*processor|autorun|scrnsave|office\\+.{0,40}(addins|security|test)|treatas|active setup|session manager|protocol_catalog|portproxy|timeproviders|networkprovider|\\shell\\open|windowsupdate|terminal server|\\clsid)`, Persistence, high, 78, "changes what runs by itself"},
	{"reg|new-itemproperty|set-itemproperty|sp |registry", `(reg(\.exe)?\s+add|new-itemproperty|set-itemproperty|registry]::setvalue|\bsp\b).{0,400}(policies\\|defender|disable|security|lsa|firewall|wdigest|enablelua|consentprompt|smartscreen|uac|eventlog|autologger|amsi|etw|restrict|hidden|nodrives|fdeny|proxyenable|remote|zonemap|zone|exclusion|logging|scriptblock|no[a-z]+\b|tamper|rdp|fse|fve|allow|system\\+currentcontrolset)`, Evasion, high, 70, "switches protection or restrictions in the registry"},
	{"reg|registry|set-itemproperty|new-itemproperty", `\breg(\.exe)?\s+(add|import|copy|restore|load)\b.{0,300}(hklm|hkey_local_machine|hkcu|hkey_current_user|hku|\.reg)|(set|new)-itemproperty.{0,300}(hklm|hkcu|hkey|registry::)`, Persistence, medium, 55, "changes the registry"},
	{"reg |reg.exe|remove-item", `\breg(\.exe)?\s+delete\b|remove-item(property)?.{0,200}(hklm|hkcu|hkey|registry::)`, Destructive, medium, 60, "deletes from the registry"},
	{"reg |reg.exe", `\breg(\.exe)?\s+(save|export|query).{0,200}(\\sam\b|\\security\b|\\system\b|password|putty|winlogon|vnc|realvnc|snmp|sessions|lsa|credential|hklm\s*/f|/f\s+pass)`, Credentials, high, 80, "reads password hashes or passwords in the registry"},
	{"schtasks|register-scheduledtask|new-scheduledtask|scheduledtask|registertaskdefinition|at ", `schtasks(\.exe)?\s.{0,80}/(create|change|run)|(register|new|set)-scheduledtask|ps_scheduledtask|registertaskdefinition|(^|[\s;&])at\s+(\\\\\S+\s+)?\d{1,2}:\d\d|start-scheduledtask`, Persistence, high, 78, "makes a timed job"},
	{"schtasks|scheduledtask", `schtasks.{0,80}/(delete|end|change.{0,200}/disable)|(unregister|disable|stop)-scheduledtask`, Evasion, medium, 60, "removes a timed job"},
	{"sc |sc.exe|new-service|set-service|net start|start-service|installutil", `\bsc(\.exe)?\s+(\\\\\S+\s+)?(create|config|failure|sdset|start|triggerinfo|privs)\b|new-service|set-service.{0,200}(binarypath|binpath|startuptype|securitydescriptor)`, Persistence, high, 75, "makes or changes a service"},
	{"sc |sc.exe|stop-service|net stop|net.exe|remove-service|fltmc|taskkill|stop-process|set-service|wmic|uninstall", `\bsc(\.exe)?\s+(stop|delete)|stop-service|remove-service|\bnet1?(\.exe)?\s+stop\b|fltmc(\.exe)?\s+unload|set-service.{0,100}(disabled|stopped)`, Evasion, high, 68, "stops a service"},
	{"taskkill|stop-process|spps", `(taskkill|stop-process|\bspps\b).{0,120}(msmpeng|defender|sysmon|sentinel|falcon|csfalcon|carbon|sophos|mcafee|symantec|outlook|sql|veeam|backup|lsass|excel|winword|svchost|security|explorer|/f\b)`, Evasion, medium, 60, "ends programs"},
	{"net user|net.exe|net1|new-localuser|add-localgroupmember|localgroup|net group|new-aduser|add-adgroupmember|directoryentry|set-localuser|enable-localuser|net  user|dsadd|new-mailbox", `\bnet1?(\.exe)?\s+(user|localgroup|group|accounts)\s.{0,200}(/add|/active|/delete|/domain\s*/add|/passwordreq|/expires|\*|/maxpwage)|\bnet1?(\.exe)?\s+user\s+(/\S+\s+)*\S+\s+[^/\s]\S*|(new|set|enable|remove|disable|rename)-(local|ad)user|add-(localgroup|adgroup)member|set-adaccountpassword`, Persistence, high, 78, "makes or changes an account"},
	{"mimikatz|sekurlsa|lsadump|kerberos::|privilege::debug|rubeus|sharphound|bloodhound|powerview|powersploit|invoke-|seatbelt|winpeas|lazagne|procdump|nanodump|comsvcs|minidump|psexec|pypykatz|secretsdump|crackmapexec|kerbrute|hashcat|certify|certipy|adfind|sharpup|snaffler|wce|gsecdump|nppspy|dumpert|pwdump|lsass|ntds|ntdsutil|vssadmin|shadowcopy|petitpotam|juicypotato|potato|winrm|powercat|empire|cobalt|sliver|koadic|nimgrab|akagi|uacme|watson|powerup|nightmare|coercer|inveigh|responder|dcsync|kerberoast|asrep|golden|ticket|dsinternals|chisel|plink|ngrok|winpwn",
		`mimikatz|mimidrv|sekurlsa|lsadump|kerberos::|privilege::debug|\brubeus|sharphound|bloodhound|powerview|powersploit|seatbelt|winpeas|lazagne|procdump|nanodump|comsvcs.{0,60}minidump|minidump|\bpsexec|pypykatz|secretsdump|crackmapexec|kerbrute|hashcat|certify\.exe|certipy|\badfind|sharpup|snaffler|\bwce\b|gsecdump|nppspy|dumpert|pwdump|lsass|\bntds\b|ntdsutil|petitpotam|potato\b|powercat|cobaltstrike|koadic|akagi|uacme|powerup|printnightmare|inveigh|dcsync|kerberoast|asrep|golden.?ticket|dsinternals|asktgt|invoke-(mimi|kerb|dllinj|shellcode|token|inveigh|bloodhound|powershelltcp|psimage|share|user|wmi|command|cimmethod|wcmdump|credential|phant0m|dcom|smb|the|mass|webrev|runas|expression|winpwn|obfus|bypass|event|pass|reflect|ninja|portscan|allchecks|zerologon|wdigest|fodhelper|eternal|psexec|internal|sqlo|uac)|winpwn|\bchisel|\bplink|\bngrok`, Credentials, high, 80, "a program for attacks, or what it is for"},
	{"vssadmin|wbadmin|bcdedit|wmic|win32_shadowcopy|shadowcopy|mklink|diskshadow|wevtutil|recoveryenabled", `vssadmin.{0,60}(delete|create|resize|list)|wbadmin.{0,60}(delete|start)|bcdedit.{0,120}(recoveryenabled|bootstatuspolicy|testsigning|nointegrity|safeboot|/set|/delete)|shadowcopy|globalroot`, Destructive, high, 80, "deletes or opens backups, or changes how the machine starts"},
	{"wevtutil|clear-eventlog|eventlog|remove-eventlog|clearlog|limit-eventlog", `wevtutil(\.exe)?\s+(cl|clear-log|sl|um|epl|set-log)|clear-(eventlog|winevent)|remove-eventlog|limit-eventlog|cleareventlog|eventlogsession.{0,80}clear|(stop|config|delete|disable|kill|remove|set|new|services\\+|hklm).{0,100}eventlog`, Evasion, high, 82, "deletes or changes logs"},
	{"auditpol|logman|wecutil|fltmc|etw|amsi|set-psreadline|clear-history|consolehost_history|historysavestyle|fsutil|usn|prefetch|recent|remove-item|del |erase", `auditpol.{0,80}/(set|clear|remove|disable|restore)|logman.{0,60}(stop|delete|update)|amsi(utils|scanbuffer|initfailed|\.dll)|etweventwrite|set-psreadlineoption.{0,60}(savenothing|history)|clear-history|consolehost_history|historysavepath|fsutil.{0,40}(usn|deletejournal|behavior|setzerodata)|\\prefetch|\\recent\\`, Evasion, high, 78, "switches logging off or deletes traces"},
	{"netsh|set-netfirewall|new-netfirewall|firewall|disable-netfirewall|remove-netfirewall|advfirewall|portproxy|add-mppreference|set-mppreference|mpcmdrun|defender|uninstall-windowsfeature|remove-mp|windefend|sysmon|smartscreen",
		`netsh.{0,80}(firewall|advfirewall|portproxy|trace|winhttp|interface|wlan.{0,40}key=clear|add\s+helper)|(set|new|disable|remove|enable)-netfirewall|(add|set|remove)-mppreference|mpcmdrun.{0,60}(remove|download|restore)|uninstall-windowsfeature|disable-windowsoptional|dism.{0,120}(disable-feature|remove-package)|sysmon(\.exe)?\s+-[uc]|windows.defender|securityhealth`, Evasion, high, 78, "opens the firewall or switches protection off"},
	{"set-executionpolicy|executionpolicy|-ep bypass|-exec bypass|bypass|unblock-file|zone.identifier|-w hidden|windowstyle", `set-executionpolicy|-(executionpolicy|exec?|ep)\s+(bypass|unrestricted)|unblock-file|zone\.identifier|mark-?of-?the-?web|-w(indowstyle)?\s+hid`, Evasion, medium, 60, "switches PowerShell's protection off"},
	{"startup|$profile|profile.ps1|\\run\\|start menu", `(start menu\\+programs\\+startup|shell:startup|\\startup\\|\$profile|profile\.ps1)`, Persistence, high, 72, "puts something where it starts by itself"},
	{"__eventfilter|eventconsumer|register-wmievent|wmiobject|ciminstance|invoke-wmimethod|invoke-cimmethod|wmi", `eventfilter|eventconsumer|register-(wmi|cim)\w*event|filtertoconsumer|(invoke-wmimethod|invoke-cimmethod|wmiclass|win32_process).{0,200}(create|invoke)|win32_(product|share|service).{0,80}(install|create)|mofcomp`, Persistence, high, 75, "runs through WMI"},
	{"new-object -com|-comobject|createobject|[activator]|gettypefromprogid|gettypefromclsid|wscript.shell|mmc20|shellwindows|xmlhttp", `(-com(object)?|createobject\(?|gettypefrom(progid|clsid)\(?)\s*["'(]?\s*["']?(wscript\.shell|shell\.application|mmc20|outlook|excel|word|powerpoint|schedule\.service|internetexplorer|msxml2|winhttp|access|vbscript|htmlfile|9ba05972|c08afd90)`, HiddenRun, medium, 62, "acts through another program"},
	{"invoke-command|enter-pssession|new-pssession|enable-psremoting|winrs|wmic /node|psexec|net use|net view|winrm|copy \\\\|mstsc|tscon|qwinsta|new-psdrive|new-smbmapping|cmdkey|\\\\", `invoke-command.{0,200}-(computername|cn|session)|(enter|new)-pssession|enable-psremoting|\bwinrs\b|net(\.exe)?\s+use\s|winrm\s+(quickconfig|set)|\bmstsc|\btscon|new-(psdrive|smbmapping|smbshare)|\\\\[\w.$-]+\\(admin|c|ipc|d)\$|cmdkey(\.exe)?\s.{0,60}/(add|list|generic)|net(\.exe)?\s+share\s`, Lateral, high, 68, "reaches other machines"},
	{"virtualalloc|writeprocessmemory|createremotethread|getprocaddress|dllimport|add-type|marshal|unsafenative|loadlibrary|ntcreate|queueuserapc|shellcode", `virtualalloc|writeprocessmemory|createremotethread|getprocaddress|queueuserapc|ntcreatethread|shellcode|marshal\]::(copy|getdelegate)|unsafenativemethods|openprocess|ntquery|minidumpwritedump`, HiddenRun, high, 82, "runs from memory or in another program"},
	{"dllimport|add-type", `dllimport|add-type.{0,200}(memberdefinition|typedefinition|-path\b.{0,100}\.dll)`, HiddenRun, medium, 50, "calls Windows directly"},
	{"copyfromscreen|getasynckeystate|get-clipboard|clipboard|psr.exe|snippingtool|setwindowshook|keylog|screenshot|microphone|soundrecorder|waveaudio|webcam|bitmap", `copyfromscreen|getasynckeystate|get-clipboard|windows\.forms\.clipboard|psr(\.exe)?\s+/start|setwindowshook|keylog|get-screen|windowsaudiodevice|soundrecorder|webcam|getforegroundwindow`, Collection, high, 70, "records the screen, keys, sound or clipboard"},
	{"compress-archive|rar|7z|zip|makecab|tar |copy-item|xcopy|robocopy|forfiles|get-childitem|dir |findstr|tree ", `compress-archive.{0,200}(\$env:userprofile|\$home|c:\\users|appdata|documents|desktop)|\b(rar|7z|winzip\w*)(\.exe)?"?\s+a\b|(dir|get-childitem|gci|ls)\b.{0,120}(/s|-recurse|/b).{0,200}(\.docx?|\.xlsx?|\.pdf|\.pst|\.kdbx|password|\.pfx|\.rdp|\.ost|id_rsa)|(sc\s+query|doskey\s+/history|wmic\s+process).{0,60}>`, Collection, medium, 62, "gathers files"},
	{"login data|cookies|web data|key4.db|logins.json|chrome|firefox|vault|credential|dpapi|protecteddata|wlan|unattend|sysvol|groups.xml|cpassword|securestring|vaultcmd|passwordvault|cmdkey|winscp|putty|rdg|filezilla|get-credential|.pfx|exportpfx|cert:|certutil|keepass|.kdbx|password|gpp",
		`(login data|\bcookies\b|web data|key4\.db|logins\.json|places\.sqlite|\\vault\\|vaultcmd|passwordvault|\bdpapi|protecteddata|unattend\.xml|sysprep|groups\.xml|cpassword|winscp|filezilla|get-(vault|gpp|mspassword|lapspassword|web\w*credential)|export-pfx|exportpfx|export-certificate|\\protect\\|\\credentials\\|keepass|\.kdbx|appcmd.{0,80}(list|config)|findstr.{0,120}(pass|cpass|secret|cred)|select-string.{0,160}(pass|secret|cred)|credentialmanager|credui|prompt(for)?credential|get-credential)`, Credentials, high, 68, "looks for passwords"},
	{"invoke-restmethod|invoke-webrequest|uploadfile|uploadstring|uploaddata|send-mailmessage|smtpclient|irm |iwr |curl|ftp|net.webclient|put |resolve-dnsname|tcpclient|icmp|ping", `(invoke-restmethod|invoke-webrequest|\birm\b|\biwr\b).{0,600}(-method\s+["']?(post|put)|-body|-infile)|upload(file|string|data)|send-mailmessage|smtpclient|curl(\.exe)?\s.{0,200}(-t\b|--upload-file|-d\b|-f\b|--data)|webclient.{0,200}(ftp://|upload)|resolve-dnsname.{0,200}(txt|\$)|net\.networkinformation\.ping|tcpclient|\.sockets\.`, Exfiltration, medium, 60, "sends data to another machine"},
	{"-useragent", `(invoke-webrequest|\biwr|invoke-restmethod|\birm)\b.{0,300}-useragent`, Lateral, medium, 45, "says to be another program"},
	{"tcpclient|socket|udpclient", `(tcpclient|udpclient|tcplistener).{0,600}(getstream|iex|invoke-expression|read\()`, Lateral, high, 80, "gives a shell to another machine"},
	{"format|remove-item|del |rd |rmdir|cipher|sdelete|clear-disk|erase|diskpart|clear-content", `\bformat(\.com)?\s+[a-z]:|format-volume|clear-disk|initialize-disk|remove-partition|cipher(\.exe)?\s+/w|\bsdelete|diskpart`, Destructive, critical, 90, "makes a disk empty"},
	{"remove-item|del |rd |rmdir|erase|ri |rm ", `(remove-item|\bri\b|\brm\b).{0,200}(-recurse|-r\b|-force).{0,200}` + windowsRoot + `|(remove-item|\bri\b|\brm\b)[^;|\n]{0,200}` + windowsRoot + `[^;|\n]{0,100}-(recurse|r\b)|(get-childitem|\bgci|\bdir|\bls)(\s+-(path|literalpath|recurse|force|file|directory|hidden))*\s*` + windowsRoot + `(\s*-(recurse|r|force|file|directory|hidden|(erroraction|ea)\s+\w+)\b)*\s*\|\s*(remove-item|ri|rm|del)\b|\b(rd|rmdir|del|erase)\s.{0,60}/s.{0,80}\s["']?([a-z]:\\?(\*(\.\*)?)?["']?(\s|$)|[a-z]:\\(windows|users|program files)\\?\*?["']?(\s|$)|%(userprofile|systemroot|windir|systemdrive)%\\?\*?["']?(\s|$))`, Destructive, critical, 92, "deletes the system or a home"},
	{"del |erase |rd |rmdir|remove-item", `\b(del|erase|rd|rmdir)\s.{0,60}/[sqf].{0,100}(%|c:\\(windows|program|users)|recycle|\.(vhd|bak|bkf|wbcat)|\\temp|systemdrive|-recurse)|remove-item.{0,160}(c:\\windows|system32|\\logs|\.evtx|recycle|prefetch|\$env:(temp|windir|programfiles|appdata|systemroot))`, Destructive, medium, 58, "deletes outside of the project"},
	{"shutdown|restart-computer|stop-computer|logoff|wininit", `shutdown(\.exe)?\s+[/-][rslhaog]|(restart|stop)-computer|\blogoff\b`, Destructive, medium, 62, "stops or restarts the machine"},
	{"takeown|icacls|cacls|set-acl|attrib|setacl|xcacls", `takeown|icacls.{0,120}(/grant|/deny|/reset|/remove|/setowner|/inherit)|\bcacls|set-acl|setaccessrule|attrib(\.exe)?\s+.{0,40}[+-][rhsa]|\.attributes\s*[+-]?=|setowner`, Evasion, medium, 62, "changes who may read or write, or hides files"},
	{"creationtime|lastwritetime|lastaccesstime|timestomp|settime|set-date|w32tm|tzutil", `(creation|lastwrite|lastaccess)time(utc)?\s*=|timestomp|set-date|w32tm\s+/config|tzutil\s+/s`, Evasion, medium, 60, "changes when a file was written, or the clock"},
	{":\\|ads|-stream|type ", `>\s*"?[^"|>\n]{1,120}\.\w{1,4}:[\w.]+|(set|add|get)-content.{0,160}-stream|\.(txt|log|doc|dll):\w+\.(exe|txt|vbs|dll|bat|js)|start.{0,80}\.\w{2,4}:\w+`, HiddenRun, high, 75, "hides data in a file's other stream"},
	{"copy|move|rename|ren ", `(copy|cp|move|ren|rename)(-item)?\s.{0,200}(system32|windir|powershell\.exe|cmd\.exe|cscript|wscript|notepad|calc|rundll32|svchost|lsass|\.dll).{0,200}(%|\$env|temp|appdata|\.exe|\.dll|system32)`, HiddenRun, medium, 62, "copies a program of the system, or puts one there"},
	{"runas|start-process|token|impersonat|secedit|seimpersonate|uac|runasadmin|logonuser|createprocess", `\brunas\b.{0,120}(/user|/netonly|/savecred)|-verb\s+["']?runas|seimpersonate|sedebug|\btoken\b.{0,60}(steal|duplicat|imperson)|secedit.{0,60}/(configure|export|import)|logonuser|createprocesswith|bypassuac|uac`, Privilege, high, 68, "takes more rights"},
	{"connect-azuread|connect-azaccount|connect-msol|connect-mg|azuread|new-azure|add-azure|get-azaccess|new-mg|connect-exchangeonline|new-az|set-az|remove-az|get-azkeyvault|set-mailbox|new-inboxrule|add-mailbox|set-adminaudit|aws|set-aws|new-iam", `(connect|new|add|set|remove|update|grant|get)-(azuread|az\w*|msol|mg|aws|iam|s3|ssm|exchangeonline|mailbox|inboxrule|adminaudit|unifiedaudit|transportrule|organization|malware|safe|antiphish)\w*`, Persistence, medium, 58, "acts in a cloud or its directory"},
	{"set-ad|new-gpo|set-gp|new-gplink|dsmod|setspn|nltest|dsquery|adsi|set-domain|add-domain|djoin|gpupdate|get-ad|adsisearcher|klist|setowner", `(set|new|add|remove)-(ad|gp|gpo|gplink|domain)\w*|\bsetspn|\bdsmod|\bnltest|\bdsquery|adsisearcher|klist\s+purge|ldifde|csvde|get-aduser`, Privilege, medium, 58, "asks or changes the domain's directory"},
	{"teamviewer|anydesk|splashtop|screenconnect|logmein|gotoassist|rustdesk|ammyy|vnc|netsupport|meshagent|dwagent|ultraviewer|atera|remotepc|radmin|bomgar|connect.exe|remoteutilities|supremo|zoho|msp360|quickassist|code.exe|devtunnel|code tunnel|tunnel", `teamviewer|anydesk|splashtop|screenconnect|logmein|gotoassist|rustdesk|ammyy|\w*vnc\w*|netsupport|meshagent|dwagent|ultraviewer|\batera|remotepc|radmin|bomgar|connectwise|remoteutilities|supremo|zohoassist|msp360|quickassist|\btunnel\b`, Lateral, medium, 62, "remote control"},
	{"choco|winget|msiexec|nuget|start-process|install-module|install-package|add-appx|sideload|register-appx", `msiexec|(add|register)-appx\w*|\.appx|\.msix`, HiddenRun, medium, 50, "installs a package"},
	{"install-module|import-module|install-script", `install-(module|script).{0,120}(-force|-skippublishercheck)|import-module\s.{0,120}(\.\\|\.psd?1|\$env:temp|http|\\\\|externalpayloads|\.dll)`, HiddenRun, medium, 45, "loads a module from an unusual place"},
	{"bootcfg|bootmgr|efi|mountvol|drivers|pnputil|devcon|fltmc|sc.exe create|loaddriver", `pnputil.{0,60}(/add|-i|-a)|mountvol|\.sys\b.{0,80}(type=\s*kernel|binpath)|devcon`, Persistence, high, 65, "adds a driver"},
	{"mount-diskimage|.iso|.vhd|.img", `mount-diskimage|\.(iso|vhdx?|img)\b`, HiddenRun, medium, 55, "mounts a disk image"},
	{"new-item|set-content|out-file|add-content|>", `(new-item|set-content|add-content|out-file|copy-item|copy|>).{0,200}(\\system32\\|\\windows\\|drivers\\etc\\hosts|\\programdata\\|\$env:windir|%windir%|\$env:systemroot)`, Persistence, medium, 58, "writes to the system's folders"},
	{"winword|excel|outlook|vba|macro|.docm|.xlsm|.xll|word.application|office", `invoke-maldoc|\.(docm|xlsm|xlam|wll|xll|ppam|dotm|otm)\b|accessvbom|vbawarnings|registerxll|macrocode|\bvba\b|word\.application|excel\.application`, HiddenRun, high, 65, "has an office program run code"},
	{"start|&|.\\|.exe", `(^|[\n;&|])\s*(start(-process)?\s+(-\w+\s+)*|&\s*)?["']?[^"'\n]{0,160}\\[^"'\n]{0,160}\.(hta|vbs|vbe|jse?|wsf|sct|scr|cpl|pif|lnk|chm|bat|ps1|inf|url|library-ms|application|xml)\b["']?`, HiddenRun, medium, 50, "runs a script or a document"},
	{"echo|for /f|cmd|%comspec%|^", `for\s+/f\b.{0,200}\bdo\s+(call\s+)?(%|cmd|start)|%comspec%|(\w\^){3,}|set\s+"?\w=.{0,80}%\w%%\w%|\bcmd(\.exe)?\s+/[vk]`, HiddenRun, medium, 55, "runs what is put together"},
	{"forfiles|whoami|sc query|query user|get-process|systeminfo|ipconfig|netstat|tasklist|quser", `(systeminfo|ipconfig|netstat|tasklist|whoami|net\s+(view|group|localgroup|user|accounts)|nltest|quser)\b(.|\n){0,400}(systeminfo|ipconfig|netstat|tasklist|whoami|net\s+(view|group|localgroup|user|accounts)|nltest|quser)\b(.|\n){0,400}(systeminfo|ipconfig|netstat|tasklist|net\s|nltest|quser)`, Discovery, medium, 55, "looks around"},
	{"win32_|get-ciminstance|get-wmiobject|debug|virtual|vmware|bios", `(win32_(bios|computersystem|baseboard|temperature|fan)|msacpi_thermal).{0,200}(virtual|vmware|vbox|xen|qemu|model|manufacturer|temperature)|\[system\.diagnostics\.debugger\]|isdebuggerpresent`, Discovery, medium, 50, "asks whether it is watched"},
	{"appcmd|webglobalmodule|transportagent|webconfigurationproperty", `appcmd(\.exe)?\s+(set|install|list)|new-webglobalmodule|install-transportagent|webconfigurationproperty.{0,160}(dontlog|logging)`, Persistence, high, 68, "changes a web or mail server"},
	{"hh.exe|msxsl|gpscript|wlrmdr|sdbinst|mofcomp|protocolhandler|finger|rpcping|autohotkey|autoit|nimgrab|assoc .|sqlcmd", `\bhh\.exe|msxsl(\.exe)?["'\s]|\bgpscript|\bwlrmdr|\bsdbinst|\bmofcomp|protocolhandler|\bfinger\s+\S*@|\brpcping|autohotkey|autoit|\bassoc\s+\.\w+=|sqlcmd.{0,80}-i\s+http`, HiddenRun, high, 65, "has another program fetch or run something"},
	{"pktmon|neteventsession|neteventpacket|netsh trace|accesschk", `\bpktmon(\.exe)?\s+(start|filter)|new-neteventsession|neteventpacketcapture|accesschk`, Credentials, high, 65, "listens to the network, or looks for weak rights"},
	{"pscp|psftp|sftp|scp", `\b(pscp|psftp)(\.exe)?["'\s]|echo\s.{0,80}(put|get)\s.{0,120}\|\s*sftp`, Exfiltration, medium, 50, "copies files to another machine"},
	{"new-vm|set-vmfirmware|vboxmanage|connect-viserver", `new-vm\b|set-vmfirmware|vboxmanage(\.exe)?["']?\s+(createvm|startvm|modifyvm)|connect-viserver`, HiddenRun, medium, 55, "starts or changes a virtual machine"},
	{"netqospolicy|dnsclientnrpt|import-certificate|cert:", `new-netqospolicy|add-dnsclientnrptrule|import-certificate.{0,160}(root|localmachine)|cert:\\localmachine\\root`, Evasion, high, 70, "throttles protection, or changes who is trusted"},
	{"cor_profiler|[char]0x20|[char[]]|-join", `cor_profiler|\[char\]\s*0x20[0-9a-f]{2}|\[char\[\]\]\s*\(?[\d,\s]{12,}|&\s*\(\s*-join`, HiddenRun, high, 70, "hides what it runs"},
	{"user data|profiles|kerberosrequestor|adfs|edge|firefox", `(copy|copy-item|robocopy|xcopy)\b.{0,200}(\\user data\\|firefox\\profiles)|kerberosrequestorsecuritytoken|aadint`, Credentials, high, 75, "takes a browser's or the domain's credentials"},
	{"169.254.169.254|metadata.google", `169\.254\.169\.254|metadata\.google\.internal`, Credentials, high, 90, "asks the cloud for this machine's credentials"},
	{"writeallbytes|your files|encrypted", `1\.\.\d{2,}.{0,200}writeallbytes|your files (are|have been)|files are encrypted`, Destructive, high, 70, "fills a disk, or says that files are encrypted"},
	{"gatehouse", `(stop-process|stop-service|taskkill|sc(\.exe)?\s+(stop|delete)|remove-item|rd\s|del\s|uninstall).{0,160}gatehouse`, TamperGatehouse, critical, 92, "stops or removes Gatehouse"},
	{".claude\\settings|.codex\\config|.gemini\\settings|.mcp.json", `(set-content|out-file|add-content|>|copy|remove-item|del\s).{0,200}(\.claude\\(settings|hooks)|\.codex\\config|\.gemini\\settings|\.mcp\.json)`, TamperAgent, high, 80, "changes an agent's settings"},
	{"mailbox|inbox|outlook.application|.pst|.ost|mapi", `outlook\.application|\.pst\b|\.ost\b|getnamespace\(.?mapi`, Collection, medium, 60, "reads mail"},
	{"resize|encrypt|ransom|wallpaper|systemparametersinfo|gpg|rijndael|aes", `systemparametersinfo|wallpaper|ransom|aescryptoservice|rijndael|\bgpg(\.exe)?.{0,60}-c\b|manage-bde|bitlocker`, Destructive, medium, 60, "encrypts files, or changes what the user sees"},
}

type windowsRow struct {
	anchors []string
	pattern *regexp.Regexp
	at      int
}

var windowsTable = sync.OnceValue(func() (list []windowsRow) {
	for i, r := range windowsRows {
		list = append(list, windowsRow{strings.Split(r.anchors, "|"), regexp.MustCompile("(?s)" + r.pattern), i})
	}
	return list
})

// windowsBytes is how much of a text is searched for what Windows would run.
const windowsBytes = 16 << 10

// windowsMarks stand in what is meant for PowerShell or cmd, and hardly elsewhere.
var windowsMarks = strings.Split("powershell|pwsh|.exe|.ps1|.bat|$env:|hklm|hkcu|hkey_|cmd /|::|iex|c:\\|\\\\|%\\|schtasks|wmic |reg add|reg delete|reg save|reg query|reg export|reg import|netsh |vssadmin|wevtutil|bcdedit|icacls|taskkill|rundll32|regsvr32|mshta|certutil|bitsadmin|net user|net localgroup|net use|net group|net stop|net view|net share|net accounts|sc stop|sc config|sc create|sc delete|wbadmin|vaultcmd|cmdkey|fsutil|auditpol|cscript|wscript|%temp%|%appdata|%userprofile%|%windir%|%localappdata|%comspec%|%programdata%|%system|ntdsutil|takeown|attrib +|msiexec|gpscript|nltest|dsquery|setspn|assoc .|doskey|sysmon -|fltmc|at \\\\|rd /s|rmdir /s|del /|erase /|pcalua|forfiles|format c:|shutdown /|logoff|set-|new-object|$home\\|\\.ssh\\|\\.aws\\", "|")

// looksWindows reports whether a text may be meant for PowerShell or cmd.
func looksWindows(text string) bool {
	text = text[:min(len(text), windowsBytes)]
	return cmdlet(text) || containsAny(strings.ToLower(text), windowsMarks)
}

// verbs are what the names of cmdlets begin with. Other words with a hyphen are headers, say.
var verbs = set("add assert backup block checkpoint clear close compare complete compress confirm connect convert convertfrom convertto copy debug deny disable disconnect dismount edit enable enter exit expand export find foreach format get grant group hide import initialize install invoke join limit lock measure merge mount move new open optimize out ping pop protect publish push read receive register remove rename repair request reset resize resolve restart restore resume revoke save search select send set show skip sort split start step stop submit suspend switch sync tee test trace unblock undo uninstall unlock unprotect unpublish unregister update use wait watch where write")

// cmdlet reports whether a text holds a name such as Get-Item.
func cmdlet(text string) bool {
	for i := 1; i+1 < len(text); i++ {
		if text[i] != '-' || text[i-1] < 'a' || text[i-1] > 'z' || text[i+1] < 'A' || text[i+1] > 'Z' {
			continue
		}
		start := i
		for start > 0 && i-start < 12 && (text[start-1]|0x20) >= 'a' && (text[start-1]|0x20) <= 'z' {
			start--
		}
		if verbs[strings.ToLower(text[start:i])] {
			return true
		}
	}
	return false
}

// windows judges a text as PowerShell's or cmd's, if it looks like that.
func (s *shell) windows(text string) {
	cut := len(text) > windowsBytes
	text = text[:min(len(text), windowsBytes)]
	if !winTool.MatchString(s.tool) && !looksWindows(text) || !s.afford(len(text)) {
		return
	}
	if cut && winTool.MatchString(s.tool) {
		s.add(Found{Rule: Unparsed, Severity: flow.High, Confidence: 100, Start: s.at(0), End: s.at(len(text)), Note: "longer than what is searched"})
	}
	lower := text
	if strings.Contains(text, "`") && cmdlet(text) {
		lower = strings.ReplaceAll(text, "`", "")
	}
	lower = strings.ToLower(lower)
	plain := strings.NewReplacer("^", "", "'+'", "", `"+"`, "", "' + '", "", `" + "`, "").Replace(lower)
	c := &command{end: len(text)}
	if s.whole {
		c.end = 1
	}
	if i := strings.Index(plain, "-enc"); i >= 0 || strings.Contains(plain, " -e ") {
		s.encoded(text, c)
	}
	if strings.Contains(text, `\`) {
		s.windowsPaths(text, c)
	}
	for _, r := range windowsTable() {
		if !containsAny(plain, r.anchors) {
			continue
		}
		at := r.pattern.FindStringIndex(plain)
		if at == nil {
			continue
		}
		row := &windowsRows[r.at]
		if row.rule == Exfiltration && (localOnly(text) || s.parsed && strings.HasPrefix(plain[at[0]:], "curl")) {
			continue
		}
		here := *c
		if len(plain) == len(text) && !s.whole {
			here.start, here.end = at[0], at[1]
		}
		s.hit(&here, row.rule, row.severity, row.percent, row.note, codeHosts(text))
	}
}

// localOnly reports whether all addresses in a text are of this machine.
func localOnly(text string) bool {
	list := codeHosts(text)
	return len(list) > 0 && !slices.ContainsFunc(list, func(fact string) bool { return !isLocal(strings.TrimPrefix(fact, "host=")) })
}

// Statements of PowerShell and cmd, and those that only look at a file's name.
var (
	statements = regexp.MustCompile(`[^;\n]+`)
	winWords   = regexp.MustCompile(`[^\s"'(),;<>|&=]*\\[^\s"'(),;<>|&]+`)
	winLooks   = regexp.MustCompile(`(?i)^\s*(dir|ls|gci|get-childitem|test-path|get-item|new-item|mkdir|md|icacls|get-acl|cd|set-location|ssh-keygen|ssh-add|ssh|explorer)\b`)
	winSends   = regexp.MustCompile(`(?i)\s\\\\[\w.-]+\\|-infile|-body|upload(file|data|string)|send-mailmessage|\b(curl|wget|scp|pscp|sftp|ftp|irm|iwr|invoke-(restmethod|webrequest))\b`)
)

// windowsPaths judges the files that statements of Windows' shells name: a shell's own reading
// drops the backslashes.
func (s *shell) windowsPaths(text string, c *command) {
	for _, at := range statements.FindAllStringIndex(text, 64) {
		statement := text[at[0]:at[1]]
		if !strings.Contains(statement, `\`) || winLooks.MatchString(statement) {
			continue
		}
		for _, word := range winWords.FindAllString(statement, 32) {
			if s.secrecy(word) != isSecret {
				continue
			}
			here := *c
			if !s.whole {
				here.start, here.end = at[0], at[1]
			}
			s.reads(&here, word)
			if winSends.MatchString(statement) && !localOnly(statement) {
				s.hit(&here, Exfiltration, flow.Critical, 92, "sends credentials to another machine", append(codeHosts(statement), "path="+word))
			}
		}
	}
}

func containsAny(text string, any []string) bool {
	for _, a := range any {
		if strings.Contains(text, a) {
			return true
		}
	}
	return false
}

var encodedArg = regexp.MustCompile(`(?i)\s[-/]e(?:nc|ncodedcommand|c)?\s+["']?([a-zA-Z0-9+/]{16,}={0,2})`)

// encoded judges the commands of powershell -EncodedCommand.
func (s *shell) encoded(text string, c *command) {
	m := encodedArg.FindStringSubmatch(text)
	if m == nil {
		return
	}
	raw, err := base64.StdEncoding.DecodeString(m[1])
	if err != nil || len(raw) < 2 {
		return
	}
	units := make([]uint16, len(raw)/2)
	for i := range units {
		units[i] = uint16(raw[2*i]) | uint16(raw[2*i+1])<<8
	}
	if s.depth < maxDepth {
		inner := *s
		start, end := s.at(c.start), s.at(c.end)
		inner.at = func(o int) int {
			if o == 0 {
				return start
			}
			return end
		}
		inner.whole = true
		inner.depth++
		inner.windows(string(utf16.Decode(units)))
	}
}
